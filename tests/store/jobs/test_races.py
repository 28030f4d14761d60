"""Many callers at once: whatever the order, a job is in one place, and parents go on once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from flows.store.client.connection import Connection
from flows.store.client.scripts import Argument, load
from tests.waiting import LONG
from tests.world import (
    LEASE,
    NOW,
    World,
    advance,
    await_children,
    finish,
    processing,
    release,
    retry,
)

CALLERS = 8
BOX = "pack:box"


class Caller:
    """One worker on a connection of its own."""

    def __init__(self, world: World, connection: Connection, name: str) -> None:
        self.world, self.connection, self.name, self.number = world, connection, name, 0

    async def run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        """Call a script."""
        usual = {**self.world._usual(worker_id=self.name, **named)}
        if script != "turn":
            usual["call"] = self.world.settings.new_call()
        return await self.connection.run(load(script), {**usual, **named}, rest)

    async def claim(self, want: int, queue: str = "pick") -> list[tuple[str, int]]:
        """Claim jobs: (id, fence) pairs."""
        self.number += 1
        named = {"want": want, "number": self.number, "busy": 0, "field_names": "", "ended": 0}
        _words, claimed, _left, _due, _dropped = await self.run("turn", queue=queue, **named)
        return [(job[0].decode(), job[1]) for job in claimed]

    async def report(self, *ended: list[Argument], queue: str = "pick") -> list[bytes]:
        """End attempts."""
        rest = [argument for one in ended for argument in one]
        words: list[bytes] = await self.run("report", *rest, queue=queue, ended=len(ended))
        return words


@pytest_asyncio.fixture
async def callers(world: World, redis_url: str) -> AsyncIterator[list[Caller]]:
    """Open eight connections."""
    connections = [Connection(redis_url, f"test-{number}") for number in range(CALLERS)]
    yield [Caller(world, connection, f"c{number}") for number, connection in enumerate(connections)]
    await asyncio.gather(*(connection.close() for connection in connections))


def check_places(world: World) -> Counter[str]:
    """Look whether each job of the flow is in exactly the place of its state; return how many are in each."""
    found = world.snapshot()
    states: Counter[str] = Counter()
    for name, job in found.get("jobs", {}).items():
        flow, _, job_id = name.rpartition(":")
        state, queue = job.get("_status", "waiting"), job.get("_queue", "pick" if flow == "shop" else flow)
        places = [
            (place, of)
            for place in ("waiting", "processing", "delayed", "children")
            for of, ids in found.get(place, {}).items()
            if (of if ":" in of else "shop") == flow
            for one in ids
            if one == job_id
        ]
        assert places == ([] if state in {"done", "failed", "cancelled"} else [(state, queue)]), name
        states[state] += 1
    return states


async def test_a_job_is_claimed_by_one(world: World, callers: list[Caller]) -> None:
    """Everyone claims at once: all jobs are given out, each once."""
    ids = [str(number) for number in range(400)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids}, waiting={"pick": ids})
    claims = await asyncio.gather(*(caller.claim(7) for caller in callers for _ in range(10)))
    assert sorted(job_id for claim in claims for job_id, _fence in claim) == sorted(ids)
    assert check_places(world) == {"processing": 400}


async def test_an_attempt_ends_once(world: World, callers: list[Caller]) -> None:
    """The same attempt is ended in every way at once: one wins, the others are refused."""
    ids = [str(number) for number in range(50)]
    world.seed(
        jobs={f"shop:{job_id}": processing(_worker="c0") for job_id in ids},
        processing={"pick": dict.fromkeys(ids, NOW + LEASE)},
    )
    for caller in callers:
        caller.name = "c0"
    for job_id in ids:
        ways = [finish(job_id), advance(job_id), retry(job_id), release(job_id)] * 2
        words = await asyncio.gather(*(caller.report(way) for caller, way in zip(callers, ways, strict=True)))
        assert Counter(word for [word] in words) == {b"ok": 1, b"stale": 7}
    check_places(world)


async def test_a_lease_is_taken_back_once(world: World, callers: list[Caller]) -> None:
    """Every worker rescues, and the late ones still report: a job waits once."""
    ids = [str(number) for number in range(200)]
    world.seed(
        jobs={f"shop:{job_id}": processing(_worker="c0") for job_id in ids},
        processing={"pick": dict.fromkeys(ids, NOW)},
    )
    calls = [caller.run("rescue") for caller in callers]
    calls += [callers[0].report(*(release(job_id) for job_id in ids[start : start + 50])) for start in (0, 100)]
    await asyncio.gather(*calls)
    assert check_places(world) == {"waiting": 200}


async def test_due_jobs_are_promoted_once(world: World, callers: list[Caller]) -> None:
    """All idle workers wake at the same due time."""
    ids = [str(number) for number in range(200)]
    delayed = {"_status": "delayed", "_queue": "pick", "_fence": "1", "_worker": "w1", "_attempts": "1"}
    world.seed(jobs={f"shop:{job_id}": delayed for job_id in ids}, delayed={"pick": dict.fromkeys(ids, NOW)})
    claims = await asyncio.gather(*(caller.claim(30) for caller in callers))
    assert sorted(job_id for claim in claims for job_id, _fence in claim) == sorted(ids)
    assert check_places(world) == {"processing": 200}


async def test_cancel_delete_and_retry_meet_claims_and_ends(world: World, callers: list[Caller]) -> None:
    """Clients and workers act on the same jobs; wherever they meet, nothing is lost or doubled."""
    ids = [str(number) for number in range(60)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids}, waiting={"pick": ids})

    async def work(caller: Caller) -> None:
        for _ in range(12):
            held = await caller.claim(3)
            await caller.report(
                *((finish, advance, retry, release)[fence % 4](job_id, fence) for job_id, fence in held)
            )

    async def meddle(caller: Caller, script: str) -> None:
        for job_id in ids:
            await caller.run(script, id=job_id, **({"reason": "why"} if script == "cancel" else {}))

    await asyncio.gather(
        *(work(caller) for caller in callers[:5]),
        *(
            meddle(caller, script)
            for caller, script in zip(callers[5:], ("cancel", "delete", "retry_job"), strict=True)
        ),
    )
    check_places(world)


async def test_families_are_cancelled_while_they_work(world: World, callers: list[Caller]) -> None:
    """Children end while parents are cancelled and many go on with their children: none is left, none ends twice."""
    parents = [f"p{number}" for number in range(40)]
    for parent in parents:
        children = tuple(("box", f"{parent}-{child}") for child in range(12))
        world.seed(jobs={f"shop:{parent}": processing("pack")})
        world.report(await_children(parent, children=children, to="ship"), queue="pack")
    listener = world.redis.pubsub(ignore_subscribe_messages=True)
    ids = [
        *(("shop", parent) for parent in parents),
        *((BOX, f"{parent}-{n}") for parent in parents for n in range(12)),
    ]
    for channel in [*map(world.keys.heard, ("shop", BOX)), *(world.keys.ended(*job) for job in ids)]:
        listener.ssubscribe(channel)
        listener.get_message(timeout=LONG)

    async def work(caller: Caller) -> None:
        for _ in range(15):
            held = await caller.claim(5, BOX)
            await caller.report(
                *(
                    (finish(job_id, fence, result="{}"), retry(job_id, fence), release(job_id, fence))[number % 3]
                    for number, (job_id, fence) in enumerate(held)
                ),
                queue=BOX,
            )

    async def cancel() -> None:
        for parent in parents:
            await callers[0].run("cancel", id=parent, reason="why")

    async def cascade(caller: Caller) -> None:
        for _ in range(40):
            await caller.run("cascade", parent="")

    await asyncio.gather(cancel(), *(work(caller) for caller in callers[1:5]), *map(cascade, callers[5:]))
    await cascade(callers[0])
    states = check_places(world)
    found = world.snapshot()
    assert {"cancelling", "pending", "parents", "waiting", "delayed"}.isdisjoint(found)
    assert {job["_status"] for name, job in found["jobs"].items() if name.startswith("shop:")} == {"cancelled"}
    ended: Counter[str] = Counter()
    listener.ping()  # its answer comes behind all that was told
    while (message := listener.get_message(timeout=LONG)) and message["type"] != "pong":
        ended[message["channel"]] += 1
    listener.close()
    assert ended == Counter(f"{world.namespace}flows:ended:{name}" for name in found["jobs"])
    assert set(states) == {"done", "cancelled"}


async def test_children_join_once(world: World, callers: list[Caller]) -> None:
    """Over 200 rounds: siblings end at the same moment, some twice, and their parent goes on exactly once."""
    for number in range(200):
        parent = f"p{number}"
        children = tuple(("box", f"{number}-{child}") for child in range(CALLERS))
        world.seed(jobs={f"shop:{parent}": processing("pack")})
        world.report(await_children(parent, children=children, to="ship"), queue="pack")
        held = [await caller.claim(1, BOX) for caller in callers]
        calls = [
            caller.report(finish(job_id, fence, result="{}"), queue=BOX)
            for caller, [(job_id, fence)] in zip(callers, held, strict=True)
        ]
        calls += [callers[3].report(finish(held[3][0][0], held[3][0][1], result="{}"), queue=BOX)]
        calls += [callers[2].run("delete", id=held[4][0][0], flow=BOX, first=BOX)]
        await asyncio.gather(*calls)
        assert world.redis.lrange(world.key("waiting", "ship"), 0, -1).count(parent) == 1
        assert world.job(f"shop:{parent}")["_visit"] == "1"
    assert {"pending", "parents", "children"}.isdisjoint(world.snapshot())
    states = check_places(world)
    assert states["waiting"] == 200


async def test_many_children_are_built_once_by_two_attempts(world: World, callers: list[Caller]) -> None:
    """An attempt that lost its lease builds on while its successor does: the stranger is refused."""
    world.seed(jobs={"shop:9": processing("pack", _worker="c1", _fence="2")})

    async def build(caller: Caller, fence: int) -> str:
        offset = 0
        while offset < 1000:
            ids = [f"{caller.name}-{number}" for number in range(offset, offset + 100)]
            rest = [argument for child_id in ids for argument in ("box", child_id, 0)]
            named = {"queue": "pack", "id": "9", "fence": fence, "offset": offset}
            word, written = await caller.run("build", 100, *rest, **named)
            if word != b"ok":
                return str(word.decode())
            offset = written
        return "ok"

    assert await asyncio.gather(build(callers[0], 1), build(callers[1], 2)) == ["stale", "ok"]
    assert world.redis.scard(world.key("pending", "shop:9")) == 1000
