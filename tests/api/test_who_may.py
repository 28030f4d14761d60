"""Every operation, asked for by every kind of caller: what it may, and what it does not see."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from flows.api import Caller, Forbidden, operations
from flows.errors import FlowsError, JobGone, NothingThere
from tests.api.callers import OF_ALL, PARAMS, given
from tests.api.conftest import Left
from tests.api.shop import CANARY

EVERY = sorted(operations())
VIEWED = [name for name, one in operations().items() if not one.acts]


def test_no_operation_is_left_out() -> None:
    """Who declares one says here how it is asked for."""
    assert sorted(PARAMS) == EVERY


@pytest.mark.parametrize("name", EVERY)
async def test_each_caller_may_what_its_role_may(left: Left, name: str) -> None:
    """Nobody nothing; a viewer only looks; who sees another flow alone is told nothing of this one."""
    operation = operations()[name]
    asked = given(name, left.ids)
    async with left.admin("nobody") as admin:
        with pytest.raises(Forbidden):
            await operation.call(admin, asked)
        viewer = admin.acting_as(Caller(name="vera", role="viewer"))
        if operation.role == "viewer":
            assert operation.plain(await operation.call(viewer, asked)) is not None
        else:
            with pytest.raises(Forbidden, match="operator"):
                await operation.call(viewer, asked)
        stranger = admin.acting_as(Caller(name="otto", role="operator", flows=frozenset({"other"})))
        if name in OF_ALL:
            assert "shop" not in json.dumps(operation.plain(await operation.call(stranger, asked)))
        else:
            with pytest.raises((Forbidden, JobGone, NothingThere)):
                await operation.call(stranger, asked)


@pytest.mark.parametrize("name", VIEWED)
async def test_what_is_hidden_is_in_no_answer(left: Left, name: str) -> None:
    """Neither as a field, nor in a message, a reason, a log or a key."""
    operation = operations()[name]
    hidden = Caller(name="vera", role="operator", hide=frozenset({"email"}))
    asked = given(name, left.ids)
    several = {
        "jobs": ("failed", "passed", "waiting", "cancelled"),
        "runs": ("run_done", "run_failed", "run_asked"),
        "trees": ("tree_done", "tree_failed"),
    }
    waits = operation.verb == "wait" or "id" not in asked
    for job in ("",) if waits else several.get(operation.group, ("",)):
        if job:
            asked["id"] = left.ids[job]
        async with left.admin() as admin:
            try:
                plain = operation.plain(await operation.call(admin.acting_as(hidden), asked))
            except FlowsError as error:
                plain = str(error)
        assert CANARY not in json.dumps(plain)


async def test_nobody_searches_by_what_is_hidden(left: Left) -> None:
    """The answer would tell it; of one flow alone where the field is named with it."""
    find = operations()["jobs.find"]
    async with left.admin(hide=["shop.email", "error"]) as admin:
        for text in (f"flow:shop email:{CANARY}", "flow:shop state:failed error:canary"):
            with pytest.raises(Forbidden, match="hidden"):
                await find.call(admin, {"query": text})
        blind = admin.acting_as(Caller(name="hugo", hide=frozenset({"email"})))
        for text, found in (("canary", 0), ("price", 0), ("TimeoutError", 2)):  # messages may quote an email
            assert len((await find.call(blind, {"query": f"flow:shop error:{text}"})).jobs) == found, text
        assert (await find.call(admin, {"query": "flow:other email:other@example.org"})).total == 1
        shown = await operations()["jobs.show"].call(admin, {"id": left.ids["failed2"]})
        assert shown.error.message == "•••"
        assert "seven@example.org" not in json.dumps(operations()["jobs.show"].plain(shown))


async def test_nothing_walks_the_keyspace(left: Left, redis: Redis) -> None:
    """An account that may run neither KEYS nor SCAN is enough for whoever looks."""
    password = "not-secret"  # noqa: S105 - of a server of the test's own
    name = f"walker-{left.namespace.strip(':')}"
    redis.acl_setuser(
        name, enabled=True, passwords=[f"+{password}"], keys=["*"], channels=["*"], commands=["+@all", "-keys", "-scan"]
    )
    try:
        url = left.url.replace("://", f"://{name}:{password}@", 1)
        async with Left(url, left.namespace, left.ids).admin() as admin:
            for one in VIEWED:
                if one != "bulk.wait":
                    await operations()[one].call(admin, given(one, left.ids))
    finally:
        redis.acl_deluser(name)
