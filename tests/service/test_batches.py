"""Types with a queue of their own, and those whose function takes many jobs of one tenant at once."""

# ruff: noqa: PLE1205 - a log of updates formats no texts

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import Redis

from flows import DeclarationError, Retries
from flows.service import Batch, BatchJob, Context, Each, Service, ServiceOptions, Tenant
from tests.service.parts import Email, Sent, make_service
from tests.waiting import LONG


async def test_each_job_of_a_batch_ends_by_itself(redis_url: str, namespace: str) -> None:
    """One result each, one that fails by its type of error, a log and links of each; a bad payload fails alone."""
    service = make_service(redis_url, namespace)
    sizes: list[int] = []

    @service.on_batch("email", size=4, linger=30, timeout=60)
    async def send(jobs: list[BatchJob[Email]], batch: Batch[None]) -> Each[Sent]:
        sizes.append(len(jobs))
        assert (batch.type, batch.tenant, batch.client) == ("email", "", None)
        for job in jobs:
            job.log.info("sending", job.payload.to)
            job.link(f"orders/{job.payload.order}")
        jobs[1].fail("no address", type="no-address")
        return Each([Sent(message_id=f"{job.payload.order} {job.attempt}") for job in jobs])

    async with service:
        ids = await send.create_many([Email(to=f"{n}@b", order=f"{n}") for n in range(3)])
        raw = make_service(redis_url, namespace)
        malformed = await raw.create("email", {"order": 5})
        ids.append(await send.create(Email(to="3@b", order="3")))
        records = [await send.wait_for(one, LONG) for one in ids]
        assert [record.status for record in records] == ["done", "failed", "done", "done"]
        assert [record.result.message_id for record in records if record.status == "done"] == ["0 1", "2 1", "3 1"]
        assert records[1].error is not None
        assert (records[1].error.type, records[1].error.message) == ("no-address", "no address")
        assert [record.links for record in records] == [[f"orders/{n}"] for n in range(4)]
        assert [[line.text for line in await service.updates(one)] for one in ids] == [[f"{n}@b"] for n in range(4)]
        failed = await service.wait_for(malformed, LONG)
        assert (failed.status, failed.error.type) == ("failed", "MalformedJob")
        await raw.stop()
    assert sizes == [4]


async def test_one_value_is_the_result_of_all(redis_url: str, namespace: str) -> None:
    """And what is raised is the error of all, each with retries of its own; a wrong count fails them."""
    service = make_service(redis_url, namespace)
    tried: list[int] = []

    @service.on_batch("all", size=3, linger=30, timeout=60, retries=Retries(max_attempts=2, backoff=0.01))
    def run(jobs: list[BatchJob[int]], _batch: Batch[None]) -> str:
        tried.append(len(jobs))
        if jobs[0].attempt == 1:
            raise ConnectionError("not yet")
        return f"{len(jobs)}"

    @service.on_batch("few", size=2, linger=30, timeout=60)
    async def few(_jobs: list[BatchJob[int]], _batch: Batch[None]) -> Each[str] | str:
        return Each(["one"])

    async with service:
        ids = await run.create_many(range(3))
        assert [(await run.wait_for(one, LONG)).result for one in ids] == ["3"] * 3
        for one in await few.create_many([1, 2]):
            record = await few.wait_for(one, LONG)
            assert (record.status, record.attempts) == ("failed", 1)
            assert record.error is not None
            assert "returned Each of 1 for 2 jobs" in record.error.message
    assert sum(tried) == 6


async def test_a_batch_holds_jobs_of_one_tenant(redis_url: str, namespace: str) -> None:
    """Each tenant's jobs come with that tenant's client, whose token stands in no text of theirs."""

    @asynccontextmanager
    async def connect(tenant: Tenant) -> AsyncGenerator[str]:
        yield tenant.domain

    of = ServiceOptions(redis_url=redis_url, namespace=namespace)
    service = Service("mailer", connect=connect, options=of)
    seen: list[tuple[str, str, list[int]]] = []

    @service.on_batch("n", size=3, linger=30, timeout=60)
    async def run(jobs: list[BatchJob[int]], batch: Batch[str]) -> None:
        assert {job.tenant for job in jobs} == {batch.tenant}
        seen.append((batch.tenant, batch.client, sorted(job.payload for job in jobs)))

    async with service:
        await service.add_tenant(Tenant("a", "a.example"))
        await service.add_tenant(Tenant("b", "b.example"))
        ids = [await run.create(n, tenant="ab"[n % 2]) for n in range(6)]
        for one in ids:
            await run.wait_for(one, LONG)
    assert sorted(seen) == [("a", "a.example", [0, 2, 4]), ("b", "b.example", [1, 3, 5])]


async def test_a_type_with_a_queue_is_paused_alone(redis_url: str, namespace: str, redis: Redis) -> None:
    """Its jobs go on to that queue; those of others run meanwhile, and pauses of tenants count there too."""
    service = make_service(redis_url, namespace, tenants="any")
    ran: list[str] = []

    @service.on("slow", timeout=60, own_queue=True)
    async def slow(name: str, _job: Context[None]) -> str:
        ran.append(name)
        return name

    @service.on("quick", timeout=60)
    async def quick(name: str, _job: Context[None]) -> None:
        ran.append(name)

    async with service:
        await service.queue_of("slow").pause()
        first = await slow.create("slow", tenant="a")
        await quick.wait_for(await quick.create("quick", tenant="a"), LONG)
        assert ran == ["quick"]
        await service.queue_of("slow").resume()
        record = await slow.wait_for(first, LONG)
        assert (record.result, record.job.queue, record.job.path[0].queue) == ("slow", "mailer.slow", "mailer.slow")
        raw = make_service(redis_url, namespace, tenants="any")
        by_name = await slow.wait_for(await raw.create("slow", "by name", tenant="a"), LONG)
        assert [visit.queue for visit in by_name.job.path] == ["mailer", "mailer.slow"]
        await raw.stop()
        await service.add_tenant(Tenant("a", paused=True))
        held = await slow.create("held", tenant="a")
        await slow.wait_for(await slow.create("other", tenant="b"), LONG)
        await service.resume_tenant("a")
        await slow.wait_for(held, LONG)
    assert ran == ["quick", "slow", "by name", "other", "held"]
    assert redis.llen(f"{namespace}queue:mailer:waiting") == 0


async def test_a_batch_ends_in_time(redis_url: str, namespace: str) -> None:
    """Each of its jobs is over its timeout by itself; stopping the service hands back what is gathered."""
    service = make_service(redis_url, namespace)

    @service.on_batch("hang", size=2, linger=0.01, timeout=0.2)
    async def hang(_jobs: list[BatchJob[int]], _batch: Batch[None]) -> None:
        await asyncio.sleep(LONG)

    @service.on_batch("gather", size=100, linger=3000, timeout=3600)
    async def gather(_jobs: list[BatchJob[int]], _batch: Batch[None]) -> None:
        """Never be called: too few jobs come."""

    async with service:
        gathered = await gather.create(1)
        ids = await hang.create_many([1, 2])
        records = [await hang.wait_for(one, LONG) for one in ids]
        assert {(one.status, one.error and one.error.type) for one in records} == {("failed", "Timeout")}
        await service.stop(grace=0)
    record = await service.get_job(gathered)
    assert record.status in {"waiting", "processing"}
    await service.stop()


def takes_one(job: BatchJob[int], batch: Batch[None]) -> None:
    """Take one."""


def takes_payloads(jobs: list[int], batch: Batch[None]) -> None:
    """Take what is no job."""


def fine(jobs: list[BatchJob[int]], batch: Batch[None]) -> None:
    """Be a handler."""


@pytest.mark.parametrize(
    ("options", "function", "says"),
    [
        ({"size": 0}, fine, "batch"),
        ({"size": 2, "linger": 60}, fine, "not shorter"),
        ({"size": 2, "linger": -1}, fine, "linger"),
        ({"size": 2}, takes_one, r"annotate list\[BatchJob"),
        ({"size": 2}, takes_payloads, r"annotate list\[BatchJob"),
        ({"size": 2}, lambda _jobs: None, r"make it \(jobs, batch\)"),
    ],
)
def test_what_cannot_take_batches_is_refused(options: dict[str, Any], function: Any, says: str) -> None:
    """Each mistake says what to write."""
    service = make_service("redis://localhost:1", "")
    with pytest.raises(DeclarationError, match=says):
        service.on_batch("n", timeout=60, **options)(function)


async def test_a_queue_comes_before_the_first_use(redis_url: str, namespace: str) -> None:
    """A type with a queue of its own cannot be added to a service that is in use; others can."""
    service = make_service(redis_url, namespace)
    await service.create("n", 1)
    service.on("n", timeout=1)(lambda_like)
    with pytest.raises(DeclarationError, match="is in use: declare the type 'many' before that"):
        service.on_batch("many", size=2, timeout=60)(fine)
    with pytest.raises(DeclarationError, match="has no type 'many'"):
        service.queue_of("many")
    await service.stop()


async def lambda_like(number: int, _job: Context[None]) -> int:
    """Be a handler."""
    return number
