"""rq: synchronous, one job at a time.

Settings: SimpleWorker, which runs jobs in its own process; the default worker forks for each job.
"""

from __future__ import annotations

from collections.abc import Sequence

import redis
from contract import FAN, Params, Part, SyncAdapter, chunks, main
from counting import count
from meeting import URL
from rq import Queue, SimpleWorker

CONNECTION = redis.Redis.from_url(URL)
#: Workers import functions by name, and this file is not `__main__` to them.
MODULE = "rq_adapter"


def noop(**_params: object) -> None:
    """Do nothing."""
    count.tick()


def tell(**_params: object) -> None:
    """Tell when it began."""
    count.began()


def stage_1(**_params: object) -> None:
    """Begin."""
    count.start()


def stage_2(**_params: object) -> None:
    """Do nothing."""


def parent(**params: Params) -> None:
    """Create the children, and the join that depends on them."""
    count.start()
    queue = Queue("bench", connection=CONNECTION)
    children = queue.enqueue_many([Queue.prepare_data(f"{MODULE}.stage_2", kwargs=params) for _ in range(FAN)])
    queue.enqueue(f"{MODULE}.noop", kwargs=params, depends_on=children)


class Rq(SyncAdapter):
    """The adapter."""

    name = "rq"
    libraries = ("rq", "redis", "hiredis")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("Queue.enqueue", 3000),
        "bulk": Part("Queue.enqueue_many of 500", 10_000),
        "drain": Part("SimpleWorker", 900),
        "drain-threads": Part("SimpleWorker", 900),
        "latency": Part("SimpleWorker", 300),
        "three-queues": Part("SimpleWorker, depends_on", 250),
        "fan-out": Part("SimpleWorker, depends_on", 50),
    }

    def __init__(self) -> None:
        """Name the queue."""
        self._queue = Queue("bench", connection=CONNECTION)

    def one(self, function: str, params: Params) -> object:
        """Create a job."""
        return self._queue.enqueue(f"{MODULE}.{function}", kwargs=params)

    def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs in pipelines; those of three stages one by one."""
        if function == "stage_1":
            for each in params:
                first = self._queue.enqueue(f"{MODULE}.stage_1", kwargs=each)
                second = self._queue.enqueue(f"{MODULE}.stage_2", kwargs=each, depends_on=first)
                self._queue.enqueue(f"{MODULE}.noop", kwargs=each, depends_on=second)
            return
        for chunk in chunks(params, 500):
            self._queue.enqueue_many([Queue.prepare_data(f"{MODULE}.{function}", kwargs=each) for each in chunk])

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload, concurrency
        SimpleWorker([self._queue], connection=CONNECTION).work(logging_level="WARNING", with_scheduler=False)


if __name__ == "__main__":
    main(Rq())
