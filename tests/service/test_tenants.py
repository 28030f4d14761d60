"""Tenants: added, changed, paused and removed while workers run; each with a client and a share of its own."""

# ruff: noqa: PLE1205, S105, S106 - a log of updates formats no texts, and these tokens open nothing

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import Redis

from flows import DeclarationError, Fail, ValidationError
from flows.service import Context, Secret, Service, ServiceOptions, Tenant
from flows.service.tenants.tenant import written
from flows.store.services.tenants import change_tenant
from tests.service.parts import make_service, within
from tests.service.test_seals import new_key
from tests.waiting import LONG, until

TOKEN = "canary-4711"


class Api:
    """A client, which notes what becomes of it."""

    notes: list[str]

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def get(self, name: str) -> str:
        """Ask it."""
        return f"{name} of {self.tenant.domain} by {self.tenant.token.reveal()}"


class Orders:
    """Connects, and notes that."""

    def __init__(self, fails: int = 0) -> None:
        self.notes: list[str] = []
        self.fails = fails

    @asynccontextmanager
    async def connect(self, tenant: Tenant) -> AsyncGenerator[Api]:
        """Bring a client; at first that may fail."""
        if self.fails:
            self.fails -= 1
            raise ConnectionError(f"{tenant.domain} refuses {tenant.token.reveal()}")
        self.notes.append(f"opens {tenant.id} {tenant.domain}")
        yield Api(tenant)
        self.notes.append(f"closes {tenant.id} {tenant.domain}")


def connected(redis_url: str, namespace: str, orders: Orders, **options: Any) -> Service[Api]:
    """Return a service that is connected to orders."""
    of = ServiceOptions(redis_url=redis_url, namespace=namespace, **options)
    return Service("mailer", connect=orders.connect, options=of)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a key, and try again soon."""
    monkeypatch.setenv("FLOWS_SECRET_KEY", new_key())
    monkeypatch.setenv("ACME_TOKEN", TOKEN)
    monkeypatch.setattr("flows.service.tenants.tenancy._AGAIN_MS", 50)


async def test_each_tenant_has_a_client_until_it_changes(redis_url: str, namespace: str) -> None:
    """Opened with its first job, kept from one to the next; with another token a new one comes, and the old closes."""
    orders = Orders()
    service = connected(redis_url, namespace, orders)

    @service.on("get", timeout=60)
    async def get(name: str, job: Context[Api]) -> str:
        return await job.client.get(name)

    async with service:
        acme = await service.add_tenant(Tenant("acme", "acme.example", Secret("env:ACME_TOKEN")))
        await service.add_tenant(Tenant("other", "other.example", "sealed token"))
        assert (acme.revision, orders.notes) == (1, [])
        ids = [await get.create("a", tenant="acme"), await get.create("b", tenant="other")]
        ids += await get.create_many(["c", "d"], tenant="acme")
        results = [(await get.wait_for(one, LONG)).result for one in ids]
        assert results == [
            f"a of acme.example by {TOKEN}",
            "b of other.example by sealed token",
            f"c of acme.example by {TOKEN}",
            f"d of acme.example by {TOKEN}",
        ]
        assert sorted(orders.notes) == ["opens acme acme.example", "opens other other.example"]
        changed = await service.update_tenant("acme", domain="new.example", token="another token")
        assert changed.revision == 3
        await until(lambda: "closes acme acme.example" in orders.notes)
        again = await get.wait_for(await get.create("e", tenant="acme"), LONG)
        assert again.result == "e of new.example by another token"
        listed = await service.tenants()
        assert [(one.id, one.domain, one.revision) for one in listed] == [
            ("acme", "new.example", 3),
            ("other", "other.example", 2),
        ]
    assert sorted(orders.notes[-2:]) == ["closes acme new.example", "closes other other.example"]


async def test_jobs_wait_for_their_tenant(redis_url: str, namespace: str) -> None:
    """Jobs of a tenant that nobody has added wait, and start when it is; those of one that was removed wait again."""
    orders = Orders()
    service = connected(redis_url, namespace, orders)

    @service.on("get", timeout=60)
    async def get(name: str, job: Context[Api]) -> str:
        return f"{name} {job.client.tenant.id}"

    async with service:
        ids = await get.create_many(["a", "b", "c"], tenant="late")
        nobody = await get.wait_for(await get.create("n"), LONG)
        assert (nobody.status, nobody.error and nobody.error.type) == ("failed", "UnknownTenant")

        async def one_came_back() -> Any:
            records = [await service.get_job(one) for one in ids]
            return any(record and record.history for record in records)

        await until(one_came_back)
        await service.add_tenant(Tenant("late"))
        assert [(await get.wait_for(one, LONG)).result for one in ids] == ["a late", "b late", "c late"]
        assert await service.remove_tenant("late")
        assert not await service.remove_tenant("late")
        left = await get.create("d", tenant="late")
        await until(lambda: "closes late " in orders.notes)
        await service.add_tenant(Tenant("late"))
        assert (await get.wait_for(left, LONG)).result == "d late"


async def test_a_tenant_that_cannot_be_reached_holds_up_no_other(redis_url: str, namespace: str, redis: Redis) -> None:
    """Its jobs come back, with a reason that does not have its token; others run meanwhile."""
    orders = Orders(fails=2)
    service = connected(redis_url, namespace, orders)

    @service.on("get", timeout=60)
    async def get(name: str, _job: Context[Api]) -> str:
        return name

    async with service:
        await service.add_tenant(Tenant("down", "down.example", TOKEN))
        job_id = await get.create("a", tenant="down")
        record = await get.wait_for(job_id, LONG)
        assert (record.result, record.attempts) == ("a", 1)
        reasons = [past.reason for past in record.history]
        assert len(reasons) >= 2
        assert all("down.example refuses ***" in reason for reason in reasons if reason)
    assert not leaks(redis, namespace)


async def test_a_paused_tenant_waits_and_others_do_not(redis_url: str, namespace: str) -> None:
    """Pausing and resuming count at once, in a process that only makes the change too."""
    service = make_service(redis_url, namespace, tenants="known")
    elsewhere = make_service(redis_url, namespace, tenants="known")
    ran: list[str] = []

    @service.on("note", timeout=60)
    async def note(name: str, _job: Context[None]) -> None:
        ran.append(name)

    async with service:
        await elsewhere.add_tenant(Tenant("acme", paused=True))
        await elsewhere.add_tenant(Tenant("other"))
        paused = await note.create("paused", tenant="acme")
        await note.wait_for(await note.create("runs", tenant="other"), LONG)
        assert ran == ["runs"]
        assert (await elsewhere.resume_tenant("acme")).paused is False
        await note.wait_for(paused, LONG)
        assert (await elsewhere.pause_tenant("acme")).paused is True
        again = await note.create("again", tenant="acme")
        await note.wait_for(await note.create("runs", tenant="other"), LONG)
        assert ran == ["runs", "paused", "runs"]
        await elsewhere.update_tenant("acme", paused=False)
        await note.wait_for(again, LONG)
    await elsewhere.stop()


async def test_tenants_share_turns_and_have_slots(redis_url: str, namespace: str) -> None:
    """One with many jobs holds up none with few, and runs no more at once than it may."""
    service = make_service(redis_url, namespace, concurrency=4, tenants="any")
    running, most = Counter[str](), Counter[str]()
    order: list[str] = []

    @service.on("note", timeout=60)
    async def note(_name: str, job: Context[None]) -> None:
        running[job.tenant] += 1
        most[job.tenant] = max(most[job.tenant], running[job.tenant])
        order.append(job.tenant)
        await asyncio.sleep(0)
        running[job.tenant] -= 1

    await service.add_tenant(Tenant("big", max_concurrency=1))
    ids = await note.create_many(["x"] * 40, tenant="big")
    ids += [one for name in ("a", "b", "c") for one in await note.create_many(["x"] * 3, tenant=name)]
    async with service:
        for one in ids:
            await note.wait_for(one, LONG)
    assert most["big"] == 1
    assert max(at for at, tenant in enumerate(order) if tenant != "big") < 30


async def test_only_known_tenants_are_taken(redis_url: str, namespace: str) -> None:
    """A producer asks before it writes; what cannot be is a typed error, and a tenant is added once."""
    service = make_service(redis_url, namespace, tenants="known")
    none = make_service(redis_url, namespace, "plain")
    await service.add_tenant(Tenant("acme"))
    assert await service.create("note", "a", tenant="acme")
    for call, says in (
        (service.create("note", "a", tenant="acne"), "has no tenant 'acne'"),
        (service.create("note", "a"), "give tenant="),
        (service.add_tenant(Tenant("acme", "b")), "a tenant 'acme' already"),
        (service.update_tenant("acne", paused=True), "has no tenant 'acne'"),
        (service.update_tenant("acme", shares=2), "what can be changed is domain"),
        (service.update_tenant("acme", weight=-1), "weight=-1"),
        (none.create("note", "a", tenant="acme"), r'ServiceOptions\(tenants="any"\)'),
        (none.tenants(), "has no tenants"),
    ):
        with pytest.raises(ValidationError, match=says):
            await call
    with pytest.raises(DeclarationError, match="tenants='all'"):
        make_service(redis_url, namespace, tenants="all")
    with pytest.raises(DeclarationError, match="connect"):
        Service("mailer", connect=5)  # type: ignore[arg-type]
    await asyncio.gather(service.stop(), none.stop())


async def test_a_token_is_told_nowhere(redis_url: str, namespace: str, redis: Redis) -> None:
    """What a function raises, logs and reports stands on the server without its tenant's token; and a leak is seen."""
    service = connected(redis_url, namespace, Orders())

    @service.on("leak", timeout=60)
    async def leak(name: str, job: Context[Api]) -> str:
        token = job.client.tenant.token.reveal()
        job.log.info("asking", f"with {token}")
        job.log.error("asked", {"token": [token]})
        job.progress(0.5, f"asking with {token}")
        if name == "raise":
            raise RuntimeError(f"refused {token}")
        raise Fail(f"refused {token}")

    async with service:
        await service.add_tenant(Tenant("acme", token=TOKEN))
        for name in ("raise", "fail"):
            record = await leak.wait_for(await leak.create(name, tenant="acme"), LONG)
            assert record.error is not None
            assert record.error.message == "refused ***"
            lines = [(line.text, line.meta) for line in await service.updates(record.id)]
            assert lines == [("with ***", {}), ("", {"token": ["***"]})]
            assert record.progress == (0.5, "asking with ***")
        assert not leaks(redis, namespace)
        await leak.create(TOKEN, tenant="acme")
        assert leaks(redis, namespace)


async def test_many_change_one_tenant_at_once(redis_url: str, namespace: str) -> None:
    """No change of one field is lost to a change of another."""
    services = [make_service(redis_url, namespace, tenants="known") for _ in range(4)]
    await services[0].add_tenant(Tenant("acme"))
    changes: list[dict[str, Any]] = [{"domain": "d"}, {"weight": 3}, {"max_concurrency": 5}, {"log_levels": ["trace"]}]
    async with asyncio.TaskGroup() as group:
        for service, change in zip(services, changes, strict=True):
            group.create_task(within(service.update_tenant("acme", **change)))
    [tenant] = await services[0].tenants()
    assert (tenant.domain, tenant.weight, tenant.max_concurrency, tenant.log_levels) == ("d", 3, 5, ["trace"])
    assert tenant.revision == 5
    await asyncio.gather(*(service.stop() for service in services))


def leaks(redis: Redis, namespace: str) -> bool:
    """Return whether the token stands in any key of the namespace."""
    return any(TOKEN.encode() in (redis.dump(key) or b"") for key in _keys_of(redis, namespace))


def _keys_of(redis: Redis, namespace: str) -> list[str]:
    return [*redis.scan_iter(f"{namespace}*")]


async def test_a_change_whose_maker_has_died_is_given_to_the_queue(
    redis_url: str, namespace: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record was written and no more: another process pauses the tenant when that is overdue."""
    monkeypatch.setattr("flows.service.tenants.tenant_copy.LOOK", 0.05)
    service = make_service(redis_url, namespace, tenants="known")

    @service.on("note", timeout=60)
    async def note(_name: str, _job: Context[None]) -> None:
        """Do nothing."""

    key = f"{namespace}flows:tenants:mailer"
    async with service:
        await service.add_tenant(Tenant("acme"))
        session = await service._host.runtime.open()
        record = written("mailer", Tenant("acme", paused=True))
        assert await change_tenant(session.connection, session.settings, "acme", 1, record) == ("changed", 2)
        await until(lambda: redis.hget(key, "#applied") == "2")
        assert redis.zscore(f"{namespace}flows:parked:mailer", '1/"acme"') is not None
