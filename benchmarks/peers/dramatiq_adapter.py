"""dramatiq: threads, lists and a poll of the broker.

Settings: four threads with a prefetch of 200 for throughput, its fastest in trials with one to eight threads; the
defaults (8 threads) for latency. No bulk call: a group sends one by one. Actors that are `async def` run on one more
thread, to which each message is handed, so plain ones stand for both.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence

if "work" in sys.argv and "latency" not in sys.argv:
    # Read on import.
    os.environ["dramatiq_queue_prefetch"] = "200"  # noqa: SIM112 - this is its name

import dramatiq
from contract import FAN, Params, Part, SyncAdapter, main
from counting import count
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend
from meeting import URL

BROKER = RedisBroker(url=URL)
BROKER.add_middleware(GroupCallbacks(RedisBackend(url=URL)))
dramatiq.set_broker(BROKER)


@dramatiq.actor
def noop(*_results: object, **_params: object) -> None:
    """Do nothing."""
    count.tick()


@dramatiq.actor
def tell(**_params: object) -> None:
    """Tell when it began."""
    count.began()


@dramatiq.actor
def stage_1(**_params: object) -> None:
    """Begin."""
    count.start()


@dramatiq.actor
def stage_2(*_results: object, **_params: object) -> None:
    """Do nothing."""


@dramatiq.actor
def parent(**params: Params) -> None:
    """Create the children, and the join that is called after them."""
    count.start()
    children = dramatiq.group([stage_2.message(**params) for _ in range(FAN)])
    children.add_completion_callback(noop.message(**params))
    children.run()


class Dramatiq(SyncAdapter):
    """The adapter."""

    name = "dramatiq"
    libraries = ("dramatiq", "redis", "hiredis")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("Actor.send", 8000),
        "bulk": Part("Actor.send, it has no bulk", 8000),
        "drain": Part("4 threads, prefetch 200", 10_000, 4),
        "drain-threads": Part("4 threads, prefetch 200", 10_000, 4),
        "latency": Part("8 threads", 200, 8),
        "three-queues": Part("4 threads, prefetch 200, pipeline()", 2000, 4),
        "fan-out": Part("4 threads, prefetch 200, GroupCallbacks", 150, 4),
    }

    def one(self, function: str, params: Params) -> object:
        """Create a job."""
        return BROKER.get_actor(function).send(**params)

    def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs one by one, those of three stages as a pipeline."""
        for each in params:
            if function == "stage_1":
                dramatiq.pipeline([stage_1.message(**each), stage_2.message(**each), noop.message(**each)]).run()
            else:
                self.one(function, each)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload
        logging.disable(logging.INFO)
        dramatiq.Worker(BROKER, worker_threads=concurrency).start()
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main(Dramatiq())
