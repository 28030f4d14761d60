"""What operators do: by one word each, told to the log of actions before and after."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from flows.api import Acted, Admin, Caller, Forbidden, JobQuery, NothingThere, audit, flows, jobs, operations, queues
from flows.errors import IdempotencyConflict, StateError, ValidationError, WaitTimeout
from flows.model.state import JobState
from tests.api.conftest import Left
from tests.api.shop import CANARY, Price, Priced, shop
from tests.waiting import LONG, patient


async def test_of_two_operators_one_retries(left_to_act: Left, redis: Redis) -> None:
    """The other is told what the job is by now; the log has both, each asked for first."""
    left = left_to_act
    failed = left.ids["failed"]
    async with left.admin() as admin:
        assert await jobs.retry(admin, failed) == Acted(word="retried", flow="shop", id=failed)
        with pytest.raises(StateError, match="is waiting: it cannot be retried"):
            await jobs.retry(admin, failed)
    entries: list[Any] = [fields for _id, fields in redis.xrange(f"{left.namespace}flows:actions")]
    assert [(one["operation"], one["caller"], one["word"], one["flow"]) for one in entries] == [
        ("jobs.retry", "ana", "asked", "shop"),
        ("jobs.retry", "ana", "retried", "shop"),
        ("jobs.retry", "ana", "asked", "shop"),
        ("jobs.retry", "ana", "StateError", "shop"),
    ]
    assert entries[0]["request"] == entries[1]["request"] != entries[2]["request"]
    assert failed in entries[0]["given"]


async def test_moves_a_job_with_edited_fields(left_to_act: Left) -> None:
    """Of what workers leave freely, of its params where that is meant: it is looked up by the new ones alone."""
    failed = left_to_act.ids["failed"]
    async with left_to_act.admin() as admin:

        async def looked_up(query: str) -> list[str]:
            return [job.id for job in (await jobs.find(admin, JobQuery.parse(f"flow:shop {query}"))).jobs]

        for fields, told in (
            ({}, "give each field"),
            ({"user_id": 8}, "say edit_params"),
            ({"prize": 1}, "neither the job nor a worker"),
            ({"price": "much"}, "of type integer"),
            ({"priority": 1}, "no name of a field"),
        ):
            with pytest.raises(ValidationError, match=told):
                await jobs.move(admin, failed, "shop-ship", fields=fields)
        with pytest.raises(ValidationError, match=r"params\.user_id: it has to be of type integer"):
            await jobs.move(admin, failed, "shop-ship", fields={"user_id": "x"}, edit_params=True)
        hidden = admin.acting_as(admin.caller.model_copy(update={"hide": frozenset({"price"})}))
        with pytest.raises(Forbidden, match="hidden"):
            await jobs.move(hidden, failed, "shop-ship", fields={"price": 1})
        assert (await jobs.show(admin, failed)).state == JobState.FAILED
        fields = {"user_id": 8, "price": 5, "tags": ["red", "green"]}
        assert (await jobs.move(admin, failed, "shop-ship", fields=fields, edit_params=True)).word == "moved"
        [group] = (await queues.groups(admin, "shop-ship")).groups
        assert (group.group, group.waiting) == (8, 1)  # by the new value
        await queues.set_share(admin, "shop-ship", "8", 2)  # a text that stands for a number, as the field is one
        await queues.hold(admin, "shop-ship", timedelta(minutes=1), group="8")
        [group] = (await queues.groups(admin, "shop-ship")).groups
        assert (group.group, group.share, group.held) == (8, 2, True)
        await queues.hold(admin, "shop-ship", timedelta(), group="8")
        assert failed in await looked_up("user_id:8")
        assert failed not in await looked_up("user_id:7")
        assert await looked_up("tags:green") == [failed]
        assert failed in await looked_up("tags:red")
        shown = {field.name: field.value for field in (await jobs.show(admin, failed)).fields}
        assert (shown["user_id"], shown["price"], shown["email"]) == (8, 5, CANARY)
        [entry, _asked] = (await audit.list_actions(admin, doing="jobs.move", limit=2)).actions
        assert (entry.word, entry.given["fields"]) == ("moved", [*fields])
        await admin.connection.call("HSET", admin.keys.job("shop", failed), "email", "{")
        with pytest.raises(ValidationError, match="'email' of the job is no JSON"):
            await jobs.move(admin, failed, "shop-price", fields={"user_id": 9}, edit_params=True)
        mended = {"email": "ana@example.org"}
        assert (await jobs.move(admin, failed, "shop-price", fields=mended, edit_params=True)).word == "moved"


async def test_acts_on_single_jobs(left_to_act: Left) -> None:
    """Priority, move, cancel and delete, each with what its flow declares of times and queues."""
    left = left_to_act
    waiting, delayed = left.ids["waiting"], left.ids["delayed"]
    async with left.admin() as admin:
        assert (await jobs.set_priority(admin, waiting, 2)).word == "set"
        assert (await jobs.move(admin, waiting, "shop-ship")).word == "moved"
        assert (await queues.show(admin, queue="shop-ship")).queues[0].waiting == 1
        with pytest.raises(StateError, match="in 'shop-ship' already"):
            await jobs.move(admin, waiting, "shop-ship")
        with pytest.raises(ValidationError, match="child queue"):
            await jobs.move(admin, waiting, "shop-pack:part")
        with pytest.raises(NothingThere, match="no queue 'nowhere'"):
            await jobs.move(admin, waiting, "nowhere")
        assert (await jobs.cancel(admin, delayed, reason="a test")).word == "cancelled"
        assert (await jobs.wait(admin, delayed)).reason == "a test"
        with pytest.raises(StateError):
            await jobs.cancel(admin, delayed)
        assert (await jobs.delete(admin, left.ids["passed"])).word == "deleted"
        assert (await queues.show(admin, queue="shop-pack:part")).queues[0].waiting == 0
        with pytest.raises(WaitTimeout):
            await jobs.wait(admin, waiting, timedelta(milliseconds=30))


async def test_lets_a_delayed_job_start_now(left_to_act: Left) -> None:
    """A worker takes it at once, and once; what is not delayed is left as it is."""
    delayed = left_to_act.ids["delayed"]
    flow = shop(left_to_act.url, left_to_act.namespace)
    started = asyncio.Event()

    async def price(job: Price) -> Priced:
        if job.id == delayed:
            started.set()
        return Priced(price=1)

    flow.create_workers(Price, price, concurrency=3)
    async with left_to_act.admin() as admin:
        with pytest.raises(StateError, match="is waiting: it cannot be promoted"):
            await jobs.promote(admin, left_to_act.ids["waiting"])
        async with flow:
            assert (await jobs.promote(admin, delayed)).word == "promoted"
            async with asyncio.timeout(patient(LONG)):
                await started.wait()
        [visit, *_rest] = (await jobs.show(admin, delayed)).path
        assert visit.waited < timedelta(minutes=30).total_seconds()


async def test_acts_on_queues(left_to_act: Left) -> None:
    """Pauses, limits and holds hold for workers, since they stand where the flow's own calls put them."""
    async with left_to_act.admin() as admin:
        assert (await queues.pause(admin, "shop-price", note="a test")).word == "paused"
        [seen] = (await queues.show(admin, queue="shop-price")).queues
        assert (seen.paused, seen.note) == (True, "a test")
        assert (await jobs.explain(admin, left_to_act.ids["waiting"])).reason == "paused"
        assert (await queues.resume(admin, "shop-price")).word == "resumed"
        assert (await queues.resume(admin, "shop-price")).word == "not paused"
        changed = await queues.set_limit(admin, "shop-ship", "shop-ship:1", 2, interval=timedelta(seconds=9))
        assert changed.before is not None
        assert [
            (was.live, now.live, now.interval) for was, now in zip(changed.before, changed.limits, strict=True)
        ] == [(5, 2, 9.0)]
        assert (await queues.hold(admin, "shop-ship", timedelta(minutes=1))).word == "held"
        assert (await queues.show(admin, queue="shop-ship")).queues[0].held_until is not None
        assert (await queues.drain(admin, "shop-ship")).word == "drained"
        with pytest.raises(WaitTimeout, match="1 wait"):
            await queues.drain(admin, "shop-price", timedelta(milliseconds=30))
        done = await audit.list_actions(admin, doing="queues.pause", limit=1)
        assert (done.actions[0].word, done.actions[0].caller, done.actions[0].given["note"]) == (
            "paused",
            "ana",
            "a test",
        )
        assert (await audit.list_actions(admin, doing="queues.pause", cursor=done.cursor)).actions[0].word == "asked"
        assert (await audit.list_actions(admin, flow="other")).actions == []
        hidden = admin.acting_as(admin.caller.model_copy(update={"hide": frozenset({"email"})}))
        assert (await audit.list_actions(hidden, doing="queues.pause")).actions[0].given["note"] == "•••"


async def test_creates_a_job_by_the_schema_that_the_flow_left(left_to_act: Left) -> None:
    """With defaults, lookup texts and keys as the flow's code would write them; bad params are refused by name."""
    create = operations()["jobs.create"]

    async def made(admin: Admin, params: dict[str, Any], **options: Any) -> Any:
        return await create.call(admin, {"flow": "shop", "params": params, **options})

    async with left_to_act.admin() as admin:
        first = await made(admin, {"user_id": 3, "due": "2026-11-27T10:00:00Z"}, idempotency_key="k")
        assert (first.word, first.checked) == ("created", "schema")
        again = await made(admin, {"user_id": 3, "due": "2026-11-27T10:00:00Z"}, idempotency_key="k")
        assert (again.word, again.id) == ("existing", first.id)
        with pytest.raises(IdempotencyConflict):
            await made(admin, {"user_id": 4}, idempotency_key="k")
        later = await made(admin, {"user_id": 3}, delay="1h", priority=2, correlation_id="c")
        page = await jobs.find(admin, JobQuery.parse("flow:shop user_id:3"))
        assert {job.id: job.state for job in page.jobs} == {first.id: JobState.WAITING, later.id: JobState.DELAYED}
        assert (await jobs.show(admin, later.id)).correlation_id == "c"
        for params, why in (
            ({"user_id": "three"}, r"params\.user_id: it has to be of type integer"),
            ({"usr": 3}, r"params\.usr: there is no such param"),
            ({"due": "soon"}, r"params\.due: it is no date-time"),
        ):
            with pytest.raises(ValidationError, match=why):
                await made(admin, params)
        with pytest.raises(ValidationError, match="cost=10 is over"):
            await create.call(admin, {"flow": "other", "params": {}, "cost": 10})
    with_code = Admin(left_to_act.url, left_to_act.namespace, admin.caller, code=[shop("", left_to_act.namespace)])
    async with with_code:
        assert (await made(with_code, {"user_id": "3"})).checked == "model"
        record = await shop(left_to_act.url, left_to_act.namespace).get_job(first.id)
    assert record is not None
    assert (record.params.user_id, record.params.email) == (3, "nobody@example.org")


async def test_the_log_tells_no_params(left_to_act: Left, redis: Redis) -> None:
    """Of a job that is created, it has the names of its params alone."""
    async with left_to_act.admin() as admin:
        await jobs.create(admin, "shop", {"email": CANARY, "user_id": 3})
    entries = redis.xrange(f"{left_to_act.namespace}flows:actions")
    assert CANARY not in str(entries)
    assert "user_id" in str(entries)


async def test_bad_params_are_refused_before_anything_is_asked(left: Left, redis: Redis) -> None:
    """The message names the param, and not what was given for it."""
    find, key = operations()["jobs.find"], f"{left.namespace}flows:actions"
    told = redis.xlen(key)
    async with left.admin() as admin:
        with pytest.raises(ValidationError, match=r"jobs\.find: limit: .*less than or equal to 100"):
            await find.call(admin, {"limit": "1000"})
        with pytest.raises(ValidationError, match="Extra inputs"):
            await find.call(admin, {"limits": 1})
        with pytest.raises(ValidationError, match="no job id"):
            await jobs.retry(admin, "7")
        with pytest.raises(NothingThere, match="no flow 'none': there is other, shop"):
            await flows.show(admin, "none")
    assert redis.xlen(key) == told


async def test_a_long_lookup_value_is_not_read_for_a_list(left_to_act: Left) -> None:
    """A page of such jobs would take seconds: its length stands there; where it is hidden, no text is told."""
    async with left_to_act.admin() as admin:
        long = {"user_id": 77, "email": "x" * 20_000, "tags": ["red"]}
        made = await jobs.create(admin, "shop", long)
        await jobs.create(admin, "shop", {"user_id": 77, "email": "short", "tags": []})
        query = JobQuery.parse("flow:shop user_id:77")
        first, second = (await jobs.find(admin, query)).jobs
        assert (first.lookups, first.cut) == ({**long, "email": "… 20,002 bytes in all"}, True)
        assert (second.lookups["email"], second.cut) == ("short", False)
        shown = await jobs.show(admin, made.id, whole=True)
        assert "x" * 20_000 in [field.value for field in shown.fields]
        hugo = admin.acting_as(Caller(name="hugo", hide=frozenset({"email"})))
        first, second = (await jobs.find(hugo, query)).jobs
        assert (first.lookups["tags"], "email" in first.lookups) == (["•••"], False)
        assert second.lookups == {"user_id": 77, "tags": []}
