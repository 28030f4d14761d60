"""BullMQ's Python port: asyncio, the same scripts as the Node library.

Settings: `concurrency=50` for throughput, 10 for latency. Three stages are a flow whose jobs wait for their child,
the fan-out one that waits for ten.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bullmq import FlowProducer, Queue, Worker
from contract import FAN, AsyncAdapter, Params, Part, chunks, main, run
from counting import count
from meeting import URL

CONNECTION = {"connection": URL}


def node(name: str, params: Params, children: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Describe one job of a flow."""
    return {"name": name, "queueName": "bench", "data": params, "opts": {}, "children": list(children)}


class BullMQ(AsyncAdapter):
    """The adapter."""

    name = "bullmq-python"
    libraries = ("bullmq", "redis", "hiredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("Queue.add", 8000),
        "bulk": Part("Queue.addBulk of 500", 12_000),
        "drain": Part("concurrency 50", 6000, 50),
        "latency": Part("concurrency 10", 300, 10),
        "three-queues": Part("concurrency 50, FlowProducer", 1500, 50),
        "fan-out": Part("concurrency 50, FlowProducer", 200, 50),
    }
    _queue: Queue

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold a queue."""
        self._queue = Queue("bench", CONNECTION)
        try:
            yield
        finally:
            await self._queue.close()

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return self._queue.add(function, params, {})

    async def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs in bulk, those of three stages as flows."""
        if function == "stage_1":
            producer = FlowProducer(CONNECTION)
            for each in params:
                second = node("stage_2", each, [node("stage_1", each)])
                await producer.add(node("noop", each, [second]))
            await producer.close()
            return
        for chunk in chunks(params, 500):
            await self._queue.addBulk([{"name": function, "data": each, "opts": {}} for each in chunk])

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload

        async def work() -> None:
            producer = FlowProducer(CONNECTION)

            async def process(job: Any, _token: str) -> None:  # noqa: ANN401 - the port has no types
                match job.name:
                    case "noop":
                        count.tick()
                    case "tell":
                        count.began()
                    case "stage_1":
                        count.start()
                    case "parent":
                        count.start()
                        children = [node("stage_2", job.data) for _ in range(FAN)]
                        await producer.add(node("noop", job.data, children))
                    case _:
                        pass

            worker = Worker("bench", process, {**CONNECTION, "concurrency": concurrency})
            await asyncio.Event().wait()
            await worker.close()

        run(work())


if __name__ == "__main__":
    main(BullMQ())
