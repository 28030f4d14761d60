"""huey: threads or greenlets, lists and a blocking pop.

Settings: 50 greenlets for throughput, which is a little better than two threads; two threads where plain functions in
threads are asked for, and for latency. No bulk call.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

GREENLETS = "work" in sys.argv and not {"drain-threads", "latency"} & set(sys.argv)
if GREENLETS:
    # Before anything else that opens a socket is imported.
    from gevent import monkey

    monkey.patch_all()

from contract import FAN, Params, Part, SyncAdapter, main  # noqa: E402
from counting import count  # noqa: E402
from huey import RedisHuey, chord  # noqa: E402
from meeting import URL  # noqa: E402

huey = RedisHuey("bench", url=URL)


@huey.task()
def noop(*_results: object, **_params: object) -> None:
    """Do nothing."""
    count.tick()


@huey.task()
def tell(**_params: object) -> None:
    """Tell when it began."""
    count.began()


@huey.task()
def stage_1(**_params: object) -> None:
    """Begin."""
    count.start()


@huey.task()
def stage_2(*_results: object, **_params: object) -> None:
    """Do nothing."""


@huey.task()
def parent(**params: Params) -> None:
    """Create a chord."""
    count.start()
    huey.enqueue(chord([stage_2.s(**params) for _ in range(FAN)], noop.s(**params)))


FUNCTIONS = {"noop": noop, "tell": tell, "parent": parent}


class Huey(SyncAdapter):
    """The adapter."""

    name = "huey"
    libraries = ("huey", "redis", "hiredis", "gevent")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("call of a task", 10_000),
        "bulk": Part("call of a task, it has no bulk", 12_000),
        "drain": Part("50 greenlets", 8000, 50),
        "drain-threads": Part("2 threads", 7000, 2),
        "latency": Part("2 threads", 300, 2),
        "three-queues": Part("50 greenlets, then()", 2000, 50),
        "fan-out": Part("50 greenlets, chord", 300, 50),
    }

    def one(self, function: str, params: Params) -> object:
        """Create a job."""
        return FUNCTIONS[function](**params)

    def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs one by one, those of three stages as a pipeline."""
        for each in params:
            if function == "stage_1":
                huey.enqueue(stage_1.s(**each).then(stage_2, **each).then(noop, **each))
            else:
                self.one(function, each)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a consumer."""
        del workload
        logging.disable(logging.INFO)
        kind = "greenlet" if GREENLETS else "thread"
        huey.create_consumer(workers=concurrency, worker_type=kind, periodic=False, check_worker_health=False).run()


if __name__ == "__main__":
    main(Huey())
