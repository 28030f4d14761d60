"""Many tenants at once: fair turns, changes that count everywhere soon, and tokens that change under load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from flows.service import Context, Service, ServiceOptions, Tenant
from tests.scale import scaled
from tests.service.parts import make_service, within
from tests.waiting import LONG, until

TENANTS = scaled(20, full=1000)
BIG = scaled(150, full=20_000)
FEW = scaled(10, full=100)


@pytest.mark.scale
async def test_nine_with_few_jobs_are_held_up_by_none_with_many(redis_url: str, namespace: str) -> None:
    """Each of ten gets a tenth of the turns: the nine are done when a little more than their share has run."""
    service = make_service(redis_url, namespace, concurrency=1, tenants="any")
    order: list[str] = []

    @service.on("note", timeout=60)
    async def note(_name: str, job: Context[None]) -> None:
        order.append(job.tenant)

    await note.create_many(["x"] * BIG, tenant="big")
    few = [f"few{number}" for number in range(9)]
    ids = [one for name in few for one in await note.create_many(["x"] * FEW, tenant=name)]
    async with service:
        for one in ids:
            await note.wait_for(one, LONG)
    last = max(at for at, tenant in enumerate(order) if tenant != "big")
    assert last <= 10 * FEW * 1.2


@pytest.mark.scale
async def test_a_change_counts_in_all_processes(redis_url: str, namespace: str) -> None:
    """Of many tenants one is paused and resumed: each process knows it, without a look of its own."""
    first = make_service(redis_url, namespace, tenants="known")
    others = [make_service(redis_url, namespace, tenants="known") for _ in range(3)]
    for service in (first, *others):

        @service.on("note", timeout=60)
        async def note(_name: str, _job: Context[None]) -> None:
            """Do nothing."""

    copies = [service._host._copy for service in others]
    async with first, others[0], others[1], others[2]:
        await asyncio.gather(*(first.add_tenant(Tenant(f"t{number}")) for number in range(TENANTS)))
        await first.pause_tenant("t7")
        await within(until(lambda: all(copy.known("t7") and copy.known("t7").paused for copy in copies)))
        await first.remove_tenant("t7")
        await within(until(lambda: not any(copy.known("t7") for copy in copies)))
        assert len(await first.tenants()) == TENANTS - 1


async def test_tokens_that_change_under_load_fail_no_call(redis_url: str, namespace: str) -> None:
    """An attempt has the client that it began with, open to its end; each new one has the newest token."""
    open_now: set[str] = set()
    refused: list[str] = []

    @asynccontextmanager
    async def connect(tenant: Tenant) -> AsyncGenerator[str]:
        open_now.add(tenant.domain)
        yield tenant.domain
        open_now.discard(tenant.domain)

    of = ServiceOptions(redis_url=redis_url, namespace=namespace)
    service = Service("mailer", connect=connect, concurrency=20, options=of)

    @service.on("call", timeout=60)
    async def call(_number: int, job: Context[str]) -> str:
        for _call in range(3):
            if job.client not in open_now:
                refused.append(job.client)
            await asyncio.sleep(0.001)
        return job.client

    async with service:
        await service.add_tenant(Tenant("acme", "0"))
        ids: list[str] = []
        for change in range(1, 11):
            ids += await call.create_many(range(20), tenant="acme")
            await service.update_tenant("acme", domain=f"{change}")
        used = [(await call.wait_for(one, LONG)).result for one in ids]
        last = await call.wait_for(await call.create(0, tenant="acme"), LONG)
        assert last.result == "10"
        await until(lambda: open_now == {"10"})
    assert refused == []
    assert len(used) == 200
    assert open_now == set()
