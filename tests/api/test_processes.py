"""What operators see of processes: how each is, and how two releases of a flow differ, by deeds and by declaration."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any, Literal

import pytest

from flows import Flow, FlowOptions, Limiter, QueueOptions
from flows.api import Admin, Caller, NothingThere, audit, queues, server, workers
from tests.api.conftest import Left
from tests.api.shop import CANARY, Order, Price, Priced
from tests.waiting import until

Late = Flow[Price, Order, Literal["user_id"]]
ANA = Caller(name="ana", role="operator")


class NewOrder(Order):
    """What an order of the new release is created with."""

    email: str = CANARY
    locale: str = "en"


def released(left: Left, release: int) -> Flow[Price, Any, Any]:
    """Return a flow whose later releases declare other things."""
    queue = QueueOptions("step", Price, timeout=[10, 8][release], limits=[Limiter([50, 100][release], 1)])
    options: FlowOptions[Any, Any] = FlowOptions(
        "released", [queue], ["user_id"], redis_url=left.url, namespace=left.namespace, lease=2
    )
    if release:
        return Flow[Price, NewOrder, Literal["user_id"]](options)
    return Flow[Price, Order, Literal["user_id"]](options)


async def price(job: Price) -> Priced:
    """Price an order; every second one fails."""
    if job.user_id % 2:
        raise TimeoutError
    return Priced(price=1)


async def test_releases_are_compared_by_deeds_and_by_declaration(left_to_act: Left) -> None:
    """Attempts a minute and the share that failed of each; of a hidden field no default is told."""
    flows = [released(left_to_act, 0), released(left_to_act, 1)]
    for flow in flows:
        flow.create_workers("step", price, concurrency=3)
    async with left_to_act.admin() as admin, flows[0]:
        await flows[0].create_jobs([Order(user_id=number) for number in range(4)])

        async def has_told_of_all() -> bool:
            alone = await workers.releases(admin, "released")
            return (alone.old, alone.releases[0].failed, alone.releases[0].processes) == (None, 0.5, 1)

        await until(has_told_of_all)
        async with flows[1]:
            admin.link.forget()
            found = await workers.releases(admin, "released")
            hidden = await workers.releases(admin.acting_as(Caller(name="vera", hide=frozenset({"email"}))), "released")
    assert [one.digest for one in found.releases] == [found.new, found.old]
    assert [(one.processes, one.slots, one.leaving) for one in found.releases] == [(1, 3, 0), (1, 3, 0)]
    told = {(one.what, one.queue, one.name): one for one in found.differences}
    assert (told["timeout", "step", None].was, told["timeout", "step", None].now) == (10.0, 8.0)
    assert told["limit", "step", "step:1"].now["reservoir"] == 100
    assert (told["field", None, "locale"].was, told["field", None, "locale"].fits) == (None, True)
    assert CANARY in found.model_dump_json()
    assert CANARY not in hidden.model_dump_json()


async def test_an_unknown_release_is_named_with_those_there_are(admin: Admin) -> None:
    """So whoever mistypes one sees which to take."""
    with pytest.raises(NothingThere, match=r"no release 'abc': there is [0-9a-f]+"):
        await workers.releases(admin, "shop", old="abc")


async def test_a_blocked_process_says_at_which_line(left_to_act: Left) -> None:
    """And until when its leases are renewed; a viewer is told that, and no line of the code."""
    seen: dict[str, Any] = {}
    flow = released(left_to_act, 0)

    async def look() -> None:
        async with left_to_act.admin() as admin:
            viewer = admin.acting_as(Caller(name="vera"))

            async def blocked() -> bool:
                [one] = await workers.list_workers(admin, flow="released")
                seen["operator"], seen["viewer"] = one, (await workers.list_workers(viewer, flow="released"))[0]
                return one.state == "blocked"

            await until(blocked)

    def looks() -> None:
        asyncio.run(look())
        seen["over"] = True

    async def stands(_job: Price) -> Priced:
        while "over" not in seen:
            time.sleep(0.05)  # noqa: ASYNC251 - so that the loop stands still
        return Priced(price=1)

    flow.create_workers("step", stands)
    async with flow:
        looking = asyncio.create_task(asyncio.to_thread(looks))
        await flow.create_job(Order())
        await looking
    one, vera = seen["operator"], seen["viewer"]
    assert one.blocked.where.startswith("test_a_blocked_process_says_at_which_line.<locals>.stands in ")
    assert one.blocked.seconds > 5
    assert one.blocked.until - one.heard > timedelta(minutes=9)
    assert (vera.state, vera.blocked.where, vera.blocked.until) == ("blocked", None, one.blocked.until)


async def test_a_process_that_goes_silent_says_when_its_jobs_come_back(left_to_act: Left) -> None:
    """A lease after it was heard of last; what older releases do not tell is left out."""
    flow = released(left_to_act, 0)
    flow.create_workers("step", price)
    async with left_to_act.admin() as admin, flow:
        [one] = await workers.list_workers(admin, flow="released")
        assert (one.state, one.back) == ("works", None)
        key = admin.keys.process("released", one.name)
        beat = json.loads(await admin.connection.call("GET", key))
        index = admin.keys.processes("released")
        for name, lease, state in (("quiet", 2000, "silent"), ("older", None, "works")):
            told = {**beat, "at": beat["at"] - 5000, "lease": lease}
            await admin.connection.call("SET", admin.keys.process("released", name), json.dumps(told))
            await admin.connection.call("ZADD", index, 9e15, name)
            [found] = [row for row in await workers.list_workers(admin, flow="released") if row.name == name]
            assert found.state == state
            assert found.back == (found.heard + timedelta(seconds=2) if lease else None)


async def test_who_raised_a_limit_stands_in_the_log(left_to_act: Left) -> None:
    """With what it was and what it is."""
    async with left_to_act.admin() as admin:
        await queues.set_limit(admin, "shop-ship", "shop-ship:1", 9)
        [entry] = (await audit.list_actions(admin, doing="queues.set_limit", limit=1)).actions
        [change] = entry.changed
        assert (entry.caller, change.name, change.was, change.now, change.interval) == ("ana", "shop-ship:1", 5, 9, 60)
        await queues.set_limit(admin, "shop-ship", "shop-ship:1", 9)
        [entry] = (await audit.list_actions(admin, doing="queues.set_limit", limit=1)).actions
        assert (entry.word, entry.changed) == ("set", [])
        await queues.pause(admin, "shop-ship")
        found = await audit.list_actions(admin, doing="queues.set_share|queues.set_limit|jobs")
        assert {one.operation for one in found.actions} == {"queues.set_limit"}


async def test_the_server_says_whose_its_memory_is_and_what_is_slow(left_to_act: Left) -> None:
    """By a bounded sample, so that it costs the same with a hundred million keys; no command shows its arguments."""
    async with left_to_act.admin() as admin:
        [threshold] = (await admin.connection.call("CONFIG", "GET", "slowlog-log-slower-than"))[1:]
        try:
            await admin.connection.call("CONFIG", "SET", "slowlog-log-slower-than", 0)
            await queues.set_limit(admin, "shop-ship", "shop-ship:1", 7)
            await admin.connection.call("GET", CANARY)
        finally:
            await admin.connection.call("CONFIG", "SET", "slowlog-log-slower-than", threshold)
        found = await server.slow(admin)
        assert {one.script for one in found.commands} == {True, False}
        assert CANARY not in found.model_dump_json()
        memory = await server.memory(admin)
        assert (memory.looked, memory.share is not None) == (300, True)
        assert memory.bytes["queues"] > 0
