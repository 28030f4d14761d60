"""celery: processes, with its Redis transport.

Settings: prefork with two processes, one per core, and the default prefetch of 4 each: its fastest in trials beside
threads and solo. No results are kept but for the fan-out, since a chord needs them; no events, gossip or mingling.
`group()` sends one by one too, so a loop with one producer is its bulk.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from celery import Celery, chain, chord
from contract import FAN, Params, Part, SyncAdapter, main
from counting import count
from meeting import URL

app = Celery("bench", broker=URL)
app.conf.update(
    worker_prefetch_multiplier=4,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)
if "fan-out" in sys.argv:
    app.conf.update(result_backend=URL, task_ignore_result=False)


@app.task(name="noop")
def noop(**_params: object) -> None:
    """Do nothing."""
    count.tick()


@app.task(name="tell")
def tell(**_params: object) -> None:
    """Tell when it began."""
    count.began()


@app.task(name="stage_1")
def stage_1(**_params: object) -> None:
    """Begin."""
    count.start()


@app.task(name="stage_2")
def stage_2(**_params: object) -> None:
    """Do nothing."""


@app.task(name="parent")
def parent(**params: Params) -> None:
    """Create a chord."""
    count.start()
    chord((stage_2.si(**params) for _ in range(FAN)), noop.si(**params)).apply_async()


class CeleryAdapter(SyncAdapter):
    """The adapter."""

    name = "celery"
    libraries = ("celery", "kombu", "redis", "hiredis")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("Task.delay", 3000),
        "bulk": Part("apply_async with one producer", 4000),
        "drain": Part("prefork, 2 processes", 2500, 2),
        "drain-threads": Part("prefork, 2 processes", 2500, 2),
        "latency": Part("prefork, 2 processes", 300, 2),
        "three-queues": Part("prefork, 2 processes, chain", 600, 2),
        "fan-out": Part("prefork, 2 processes, chord with results in Redis", 100, 2),
    }

    def one(self, function: str, params: Params) -> object:
        """Create a job."""
        return app.tasks[function].delay(**params)

    def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs with one producer, those of three stages as a chain."""
        task: Any = app.tasks[function]
        with app.producer_or_acquire() as producer:
            for each in params:
                if function == "stage_1":
                    chain(stage_1.si(**each), stage_2.si(**each), noop.si(**each)).apply_async(producer=producer)
                else:
                    task.apply_async(kwargs=each, producer=producer)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload
        count.share()
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
        app.worker_main(["worker", "-P", "prefork", "-c", str(concurrency), *quiet])


if __name__ == "__main__":
    main(CeleryAdapter())
