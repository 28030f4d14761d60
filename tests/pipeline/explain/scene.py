"""The flow of orders, as a stage for whatever keeps one of its jobs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from redis import Redis

from flows import Explanation
from tests.pipeline.parts import LONG, Order, Orders, price, ship


@dataclass
class Scene:
    """The flow of orders, without workers, and the keys of its server."""

    flow: Orders
    redis: Redis
    namespace: str

    def hash(self, job_id: str) -> str:
        """Return the key of a job."""
        return f"{self.namespace}job:orders:{job_id}"

    def key(self, place: str, queue: str = "price") -> str:
        """Return the key of a place."""
        return f"{self.namespace}queue:{queue}:{place}"

    def serve(self, *queues: str) -> None:
        """Let a process count as alive that has workers of these queues, and claims nothing."""
        for queue in queues or ("price", "ship"):
            self.redis.zadd(f"{self.namespace}flows:workers:{queue}", {"other.1": time.time() * 1000 + 3_600_000})

    async def created(self, **options: Any) -> str:
        """Create a job."""
        return await self.flow.create_job(Order(user_id=1), **options)

    async def claimed(self) -> str:
        """Create a job, and let a worker claim it that then says nothing more."""
        job_id = await self.created()
        turns = self.flow._runtime.session.turns("price", "other.1.dead", ["user_id"])
        assert (await turns.turn([], 1, busy=False)).claimed[0].id == job_id
        self.score("processing", job_id, 60)
        return job_id

    def score(self, place: str, job_id: str, ahead: float) -> None:
        """Edit the score of a job in a place: so many seconds ahead of now."""
        self.redis.zadd(self.key(place), {job_id: (time.time() + ahead) * 1000})

    async def runs(self, job_id: str) -> None:
        """Start workers, and wait until the job is done."""
        self.flow.create_workers("price", price)
        self.flow.create_workers("ship", ship)
        async with self.flow:
            record = await self.flow.wait_for(job_id, LONG)
            assert record.status == "done"


def says(explanation: Explanation, reason: str, *words: str) -> bool:
    """Assert that this is the reason, and that the sentence has these words."""
    assert explanation.reason == reason, explanation
    for text in words:
        assert text in explanation.sentence, explanation.sentence
    return True
