"""Fetching: reads only, in pages, and never stumbles over what others stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flows.errors import KeyConflict, StoreUnavailable
from flows.store.client.connection import Connection
from flows.store.jobs.fetch import Fetch, child_jobs
from tests.accounts import as_user
from tests.world import World


@pytest_asyncio.fixture
async def fetch(redis_url: str, world: World) -> AsyncIterator[Fetch]:
    """Read the world's flow."""
    connection = Connection(redis_url, "test-fetch")
    yield Fetch(connection, world.settings)
    await connection.close()


async def test_hashes_come_in_order(fetch: Fetch, world: World) -> None:
    """Whole or the fields that are named, None where no hash is; of children too, and nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1", "b": "é"}, "pack:box:2": {"n": "2"}, "shop:other": "a string"})
    before = world.snapshot()
    jobs = [("shop", "1"), ("shop", "none"), ("pack:box", "2"), ("shop", "other")]
    assert await fetch.hashes(jobs) == [{"a": b"1", "b": "é".encode()}, None, {"n": b"2"}, None]
    assert await fetch.hashes(jobs, ["b", "x"]) == [{"b": "é".encode()}, None, {}, None]
    assert await fetch.hashes([]) == []
    assert world.snapshot() == before


async def test_one_key_of_another_type_reads_as_missing(fetch: Fetch, world: World) -> None:
    """It makes no difference whether one job is asked for or many."""
    world.seed(jobs={"shop:other": "a string"})
    assert await fetch.hashes([("shop", "other")]) == [None]


@pytest.mark.parametrize("command", ["hgetall", "type", "hmget", "lrange", "exists"])
async def test_what_may_not_be_read_is_not_missing(redis_url: str, world: World, command: str) -> None:
    """An account without the right is told so: a job that cannot be read is not gone."""
    user = f"narrow-{world.namespace.strip(':')}"
    world.redis.execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all", f"-{command}")
    connection = Connection(as_user(redis_url, user), "test-fetch")
    fetch = Fetch(connection, world.settings)
    whole, chosen = fetch.hashes([("shop", "1")]), fetch.hashes([("shop", "1")], ["a"])
    reads = (whole, chosen, fetch.listed("user", "7", 0, -1), fetch.alive(["1"]))
    failed = [error for error in await asyncio.gather(*reads, return_exceptions=True) if isinstance(error, Exception)]
    assert [type(error) for error in failed] == [StoreUnavailable]
    assert f"'{command}'" in str(failed[0])
    await connection.close()
    world.redis.execute_command("ACL", "DELUSER", user)


async def test_more_jobs_than_a_page(fetch: Fetch, world: World) -> None:
    """Pages are put together in order."""
    world.seed(jobs={f"shop:{number}": {"a": str(number)} for number in range(1001)})
    found = await fetch.hashes([("shop", str(number)) for number in range(1001)])
    assert found == [{"a": str(number).encode()} for number in range(1001)]


async def test_lists_are_read_by_index(fetch: Fetch, world: World) -> None:
    """Oldest first; a missing list is empty."""
    world.seed(lookups={"shop:user:7": ["1", "2", "3", "2"]})
    assert await fetch.listed("user", "7", 0, -1) == ["1", "2", "3", "2"]
    assert await fetch.listed("user", "7", 1, 2) == ["2", "3"]
    assert await fetch.listed("user", "8", 0, -1) == []


async def test_a_list_of_another_type_is_named(fetch: Fetch, world: World) -> None:
    """The error says which key it is."""
    key = world.key("lookups", "shop:user:9")
    world.redis.set(key, "not ours")
    with pytest.raises(KeyConflict, match=f"{key}: WRONGTYPE.*delete or rename that key"):
        await fetch.listed("user", "9", 0, -1)


async def test_the_living_are_told_from_the_dead(fetch: Fetch, world: World) -> None:
    """In their order."""
    world.seed(jobs={"shop:1": {"a": "1"}, "shop:3": {"a": "1"}})
    assert await fetch.alive(["3", "2", "1"]) == ["3", "1"]
    assert await fetch.alive([]) == []


async def test_the_log_is_text(fetch: Fetch, world: World) -> None:
    """Bytes that are no UTF-8 are replaced, not an error."""
    world.redis.rpush(world.keys.log("shop", "1"), "first", b"\xff")
    assert [line.text for line in await fetch.log("shop", "1")] == ["first", "\ufffd"]


@pytest.mark.parametrize("count", [1, 501, 1200])
async def test_results_of_many_children_are_as_the_join_writes_them(fetch: Fetch, world: World, count: int) -> None:
    """By child queue, in the order of creation, from the hash beside the parent; what is missing was deleted."""
    ids = [f"c{number}" for number in range(count)]
    keys = [f"{world.namespace}job:pack:{('box', 'label')[number % 2]}:{job_id}" for number, job_id in enumerate(ids)]
    child_results = {job_id: json.dumps({"id": job_id, "status": "done", "result": {}}) for job_id in ids[1:]}
    world.seed(jobs={"shop:9": {"children:pack:jobs": json.dumps(keys).replace(", ", ",")}})
    if child_results:
        world.seed(settled={"shop:9:children:pack": child_results})
    raw = await fetch.children_results("shop", "9", "pack")
    assert raw is not None
    found = json.loads(raw)
    assert [child["id"] for child in found["box"]] == ids[::2]
    assert [child["id"] for child in found.get("label", [])] == ids[1::2]
    assert found["box"][0] == {"id": "c0", "status": "deleted"}


async def test_a_job_without_children_has_no_results(fetch: Fetch, world: World) -> None:
    """None, not an empty object: it was no parent."""
    world.seed(jobs={"shop:9": {"a": "1"}})
    assert await fetch.children_results("shop", "9", "pack") is None
    assert await fetch.children_results("shop", "none", "pack") is None


@pytest.mark.parametrize("namespace", ["", "{a}:"])
def test_job_keys_are_taken_apart(namespace: str) -> None:
    """Flow names of children contain colons; ids do not."""
    field = f'["{namespace}job:pack:box:1","{namespace}job:pack:box:lid:2"]'.encode()
    assert child_jobs(field, namespace) == [("pack:box", "1"), ("pack:box:lid", "2")]
    assert child_jobs(b"[]", namespace) == []
