"""`flow.explain`: each reason in a scenario of its own, in which doing what the sentence says makes the job run."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flows import Explanation, Flow, FlowOptions, QueueOptions, Retries, ValidationError
from flows.model.explain.reasons import REASONS
from flows.model.ids import new_job_id
from tests.pipeline.parts import LONG, Lists, Numbers, Order, Orders, Price, Priced, Ship, price, ship, split, staff
from tests.waiting import until


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


@pytest.fixture
def scene(make_orders: Callable[..., Orders], redis: Redis, namespace: str) -> Scene:
    """Make the scene: its leases are short, and so are the pauses of whatever takes back and repairs."""
    return Scene(make_orders(lease=timedelta(seconds=1)), redis, namespace)


def says(explanation: Explanation, reason: str, *words: str) -> bool:
    """Assert that this is the reason, and that the sentence has these words."""
    assert explanation.reason == reason, explanation
    for text in words:
        assert text in explanation.sentence, explanation.sentence
    return True


async def test_queued(scene: Scene) -> None:
    """Others are ahead: it waits for its turn."""
    job_id = [await scene.created() for _ in range(3)][-1]
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "queued", "it waits in 'price', and 2 others are ahead")
    assert (found.facts["ahead"], found.facts["queue"], found.facts["status"]) == (2, "price", "waiting")
    await scene.runs(job_id)


async def test_queued_with_a_rate(scene: Scene) -> None:
    """Where its queue has a history of the last minutes, the sentence says how long that takes."""
    job_id = [await scene.created() for _ in range(3)][-1]
    scene.serve()
    minute = int(time.time()) // 60
    # Of the minute that has ended when the script runs; the next one is there in case that it ends just now.
    scene.redis.hset(f"{scene.namespace}flows:stats:price", mapping={f"m{minute + at}": "||0:2|" for at in (-1, 0)})
    found = await scene.flow.explain(job_id)
    assert says(found, "queued", "it waits in 'price', and 2 others are ahead; at 2 a minute that is 60 s")
    assert found.facts["rate"] == 2
    await scene.runs(job_id)


async def test_busy(scene: Scene) -> None:
    """More workers are started, and one of them takes it while the other job still runs."""
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(job: Price) -> Priced:
        started.set()
        await go.wait()
        return await price(job)

    first = await scene.created()
    scene.flow.create_workers("price", slow)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        await started.wait()
        second = await scene.created()

        async def busy() -> bool:
            return (await scene.flow.explain(second)).reason == "busy"

        await until(busy)  # heartbeats come twice a second
        found = await scene.flow.explain(second)
        words = f"the only slot of 1 process is busy; {first} runs for"
        assert says(found, "busy", "it waits in 'price', and", words, f" on {socket.gethostname()}.{os.getpid()}: wait")
        assert (found.facts["worker_slots"], found.facts["busy"]) == (1, 1)
        scene.flow.create_workers("price", price)
        assert (await scene.flow.wait_for(second, LONG)).status == "done"
        assert (await scene.flow.explain(first)).reason == "running"
        go.set()
        assert (await scene.flow.wait_for(first, LONG)).status == "done"


async def test_no_workers(scene: Scene) -> None:
    """A process with workers of the queue is started."""
    job_id = await scene.created()
    assert says(await scene.flow.explain(job_id), "no_workers", "and no process has workers of it: start one")
    scene.redis.zadd(f"{scene.namespace}flows:workers:price", {"other.1": time.time() * 1000 - 5000})
    assert says(await scene.flow.explain(job_id), "no_workers", "was heard of since")
    await scene.runs(job_id)


async def test_misfit(scene: Scene) -> None:
    """The field is written that the class needs."""
    job_id = await scene.created()
    scene.serve()
    scene.redis.hdel(scene.hash(job_id), "user_id")
    assert says(await scene.flow.explain(job_id), "misfit", "Price needs 'user_id', which it lacks")
    scene.redis.delete(f"{scene.namespace}flows:flow:orders")  # then by the class of this program
    assert says(await scene.flow.explain(job_id), "misfit", "Price needs 'user_id', which it lacks")
    scene.redis.hset(scene.hash(job_id), "user_id", "1")
    await scene.runs(job_id)


async def test_undeclared(scene: Scene, redis_url: str) -> None:
    """The queue was renamed without a word of it: it is named in `formerly=`."""
    job_id = await scene.created()
    scene.serve()

    def renamed(*formerly: str) -> Orders:
        queues: list[QueueOptions[Price | Ship]] = [
            QueueOptions("pricing", job=Price, next_queue="ship", formerly=formerly),
            QueueOptions("ship", job=Ship),
        ]
        options = FlowOptions("orders", queues, redis_url=redis_url, namespace=scene.namespace)
        return Flow[Price | Ship, Order](options)  # type: ignore[return-value]

    scene.redis.hset(scene.hash(job_id), mapping={"_status": "waiting", "_queue": "price"})
    found = await renamed().explain(job_id)
    assert says(found, "undeclared", "it waits in 'price', which its flow does not declare any more")
    scene.flow = renamed("price")
    scene.flow.create_workers("pricing", price)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_isolated(scene: Scene) -> None:
    """It was rescued twice: a worker that runs nothing else takes it."""
    job_id = await scene.created()
    scene.serve()
    scene.redis.hset(scene.hash(job_id), "_attempt", "2 other.1.dead 2 0 2 1000 -")
    assert says(await scene.flow.explain(job_id), "isolated", "was rescued 2 times there")
    await scene.runs(job_id)


async def test_delayed_and_due(scene: Scene) -> None:
    """Its time comes, and the next claim takes it."""
    job_id = await scene.created(delay=timedelta(hours=1))
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "delayed", "it is delayed in 'price' until", "min more (it was created with a delay)")
    assert "delayed_until" in found.facts
    scene.score("delayed", job_id, -2)
    assert says(await scene.flow.explain(job_id), "due", "it is due in 'price' since")
    await scene.runs(job_id)


async def test_delayed_by_a_retry(redis_url: str, namespace: str) -> None:
    """The sentence says how the last attempt failed."""
    retries = Retries(5, backoff=timedelta(hours=1))
    options = FlowOptions(
        "orders", [QueueOptions("price", job=Price, retries=retries)], redis_url=redis_url, namespace=namespace
    )
    flow = Flow[Price, Order](options)

    async def fails(_job: Price) -> Priced:
        raise ValueError("no price")

    flow.create_workers(Price, fails)
    job_id = await flow.create_job(Order(user_id=1))
    async with flow:
        await flow.events.wait_for("job.recorded", queue="price")
        found = await flow.explain(job_id)
    assert says(found, "delayed", "(attempt 1 failed by ValueError: no price)")
    assert found.facts["put_off_by"] == "retry"


async def test_running(scene: Scene) -> None:
    """It has to be waited for."""
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(job: Price) -> Priced:
        started.set()
        await go.wait()
        return await price(job)

    job_id = await scene.created()
    scene.flow.create_workers("price", slow)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        await started.wait()
        found = await scene.flow.explain(job_id)
        record = await scene.flow.get_job(job_id)
        assert record
        assert says(found, "running", "it runs in 'price'", record.worker.rpartition(".")[0], "attempt 1, lease for")
        go.set()
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_silent(scene: Scene) -> None:
    """A process with workers takes it back."""
    await scene.created()
    scene.redis.delete(scene.key("waiting"))
    job_id = await scene.claimed()
    assert says(await scene.flow.explain(job_id), "running", "on other.1, attempt 1")
    scene.score("processing", job_id, -3)
    assert says(await scene.flow.explain(job_id), "silent", "other.1 has it, and has not renewed its lease")
    await scene.runs(job_id)


async def test_cancelling(scene: Scene) -> None:
    """Its worker is to stop it; afterwards it is retried by hand."""
    await scene.created()
    scene.redis.delete(scene.key("waiting"))
    job_id = await scene.claimed()
    assert await scene.flow.cancel_job(job_id, "not needed") == "requested"
    assert says(await scene.flow.explain(job_id), "cancelling", "(not needed): its function on other.1 was asked")
    scene.score("processing", job_id, -3)
    scene.flow.create_workers("price", price)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        assert (await scene.flow.wait_for(job_id, LONG)).status == "cancelled"
        assert says(await scene.flow.explain(job_id), "ended", "it was cancelled at", "(not needed); retry_job")
        await scene.flow.retry_job(job_id)
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"
        assert says(await scene.flow.explain(job_id), "ended", "it is done at", "in 'ship'")


@pytest.mark.parametrize("status", ["waiting", "delayed"])
async def test_lost(scene: Scene, status: str) -> None:
    """The reconciler of a process with workers puts it back."""
    job_id = await scene.created(**({"delay": timedelta(hours=1)} if status == "delayed" else {}))
    scene.serve()
    scene.redis.delete(scene.key(status))
    assert says(await scene.flow.explain(job_id), "lost", f"it is {status}, and does not stand among the {status} jobs")
    scene.redis.delete(f"{scene.namespace}flows:reconcile:orders")  # so that a pass begins at once
    await scene.runs(job_id)


async def test_ended(scene: Scene) -> None:
    """One that has failed is retried by hand."""
    job_id = await scene.created()

    async def fails(_job: Price) -> Priced:
        raise ValueError("no\nprice")

    [worker] = scene.flow.create_workers("price", fails)
    async with scene.flow:
        await scene.flow.wait_for(job_id, LONG)
        found = await scene.flow.explain(job_id)
        assert says(found, "ended", "it failed at", "in 'price' by ValueError: no price; retry_job runs it again")
        assert found.facts["error"] == ["ValueError", "no\nprice"]
        await worker.stop()
        scene.flow.create_workers("price", price)
        scene.flow.create_workers("ship", ship)
        await scene.flow.retry_job(job_id)
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_malformed(scene: Scene) -> None:
    """The field that was edited is deleted."""
    job_id = await scene.created()
    scene.serve()
    scene.redis.hset(scene.hash(job_id), "_attempt", "nonsense")
    assert says(await scene.flow.explain(job_id), "malformed", "_attempt is 'nonsense'", "delete that field")
    scene.redis.hdel(scene.hash(job_id), "_attempt")
    await scene.runs(job_id)


async def test_malformed_by_its_status(scene: Scene) -> None:
    """The reconciler fails it, and then it is retried by hand."""
    job_id = await scene.created()
    scene.redis.hset(scene.hash(job_id), "_status", "odd")
    assert says(await scene.flow.explain(job_id), "malformed", "_status is 'odd', which is no state")
    scene.flow.create_workers("price", price)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        assert (await scene.flow.wait_for(job_id, LONG)).status == "failed"
        await scene.flow.retry_job(job_id)
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_gone_and_expired(scene: Scene) -> None:
    """It is created anew."""
    assert says(await scene.flow.explain(new_job_id()), "gone", "flow 'orders' has no job")
    job_id = await scene.created()
    scene.redis.delete(scene.hash(job_id))
    found = await scene.flow.explain(job_id)
    assert says(found, "expired", "its id still stands in the waiting jobs of 'price': it has expired (job_ttl is 30 d")
    await scene.runs(await scene.created())
    with pytest.raises(ValidationError, match="is no job id"):
        await scene.flow.explain("1")


async def test_children(lists: Lists) -> None:
    """The child is explained that the sentence names, and what that says is done."""
    lists.create_workers("split", split)
    job_id = await lists.create_job(Numbers(numbers=[1, 2]))
    async with lists:
        await lists.events.wait_for("job.recorded", queue="add")
        found = await lists.explain(job_id)
        assert says(found, "children", "it waits in 'add' for 2 of its 2 children;", "of 'add:one' is waiting: explain")
        child: Any = found.facts["child"]
        assert says(await lists.explain(child[0]), "no_workers", "it waits in 'add:one', and no process has workers")
    staff(lists)
    async with lists:
        assert (await lists.wait_for(job_id, LONG)).status == "done"


async def test_a_child_of_a_parent_that_was_cancelled(lists: Lists, redis: Redis, namespace: str) -> None:
    """While not all of the children are cancelled yet."""
    lists.create_workers("split", split)
    job_id = await lists.create_job(Numbers(numbers=[1]))
    async with lists:
        await lists.events.wait_for("job.recorded", queue="add")
        child: Any = (await lists.explain(job_id)).facts["child"]
        redis.hset(f"{namespace}flows:cancelling:lists", f"lists:{job_id}", "0")
        found = await lists.explain(child[0])
    assert says(found, "cancelling", f"its parent lists:{job_id} was cancelled, and so will it be")


def test_plain_callers_have_it_too(scene: Scene) -> None:
    """With its sentence as its text."""
    job_id = scene.flow.sync.create_job(Order(user_id=1))
    assert str(scene.flow.sync.explain(job_id)).startswith("it waits in 'price', and no process has workers of it")
    scene.flow.sync.close()


def test_every_reason_has_a_scenario() -> None:
    """Here, or with the pauses of queues (`test_pausing.py`)."""
    said = set(re.findall(r'says\(.*, "(\w+)", f?"', Path(__file__).read_text("utf-8")))
    assert [row.name for row in REASONS if row.name not in said] == ["paused"]
