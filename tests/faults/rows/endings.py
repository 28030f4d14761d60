"""Rows F4 and F5: children that do not end well, and parents that end before their children."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import redis

from tests.faults import raw_keys
from tests.faults.case import Case, row
from tests.faults.fleet import Fleet
from tests.faults.flow_under_test import Orders

_POLICIES: Final = ("continue", "fail")
#: What becomes of the first of four children; the workers of the child queues come later.
_FATES: Final = ("deleted", "expired", "failed", "cancelled", "never")
_FAMILIES: Final = 6
#: The jobs live for so many seconds after the last thing that happened to them.
_TTL: Final = 4.0


@row("F4", "children deleted, expired, failed, cancelled, never started", limit=90)
def f4(case: Case) -> None:
    """The parent ends as its policy says; while no worker comes, it waits, nobody expires, and it can be cancelled."""
    case.options.update(job_ttl=_TTL, retention=600)
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        fleet = case.fleet(concurrency=32)
        families = {}
        for policy in _POLICIES:
            families.update(_wait(case, fleet, policy))
        asyncio.run(_with_flow(case, lambda flow: _befall(case, flow, client, families)))
        time.sleep(_TTL * 1.25)
        never = [job_id for job_id, (_policy, fate) in families.items() if fate == "never"]
        family = raw_keys.children(client)
        waiting = {len(raw_keys.there(client, family[job_id])) for job_id in never}
        case.expect(case.count(never) == {"children": len(never)}, f"they wait on: {case.count(never)}")
        case.expect(waiting == {4}, f"no child that nobody takes expires: {waiting}")
        given_up = never[::2]
        asyncio.run(_with_flow(case, lambda flow: _give_up(case, flow, given_up)))
        left = [key for job_id in given_up for key in family[job_id]]
        states = Counter(fields.get("_status") for fields in raw_keys.read(client, left))
        case.expect(states == {"cancelled": len(left)}, f"a cancelled parent's children are cancelled: {states}")
        fleet.spawn(2)
        case.expect(not case.wait_done(list(families), 10), "all parents end")
        case.expect(case.wait_until(lambda: not raw_keys.standing(client)), "all children end")
    for (job_id, (policy, fate)), fields in zip(families.items(), case.hashes(families), strict=True):
        ended = (fields["_status"], fields.get("parts_done"))
        _judge(case, f"{policy}, {fate}", "given up" if job_id in given_up else fate, policy, fields, ended)
    case.figures.update(parents=len(families), waited_s=_TTL * 1.25)


def _wait(case: Case, fleet: Fleet, policy: str) -> dict[str, tuple[str, str]]:
    """Create families whose parents go by this policy, and return them when they wait for children nobody takes."""
    [packer] = fleet.spawn(queues=["pick", "pack"], options={**case.options, "on_child_failure": policy})
    families = {}
    for fate in _FATES:
        kind = "children:4;label=raise" if fate == "failed" else "children:4"
        families.update(dict.fromkeys(case.create(_FAMILIES, kind), (policy, fate)))
    ids = list(families)
    case.expect(case.wait_until(lambda: case.count(ids) == {"children": len(ids)}), "all parents wait")
    fleet.terminate(packer)
    fleet.wait(packer)
    return families


async def _with_flow(case: Case, act: Callable[[Orders], Awaitable[None]]) -> None:
    """Do something with a flow that has no workers."""
    flow = case.flow()
    await flow.start_all()
    try:
        await act(flow)
    finally:
        await flow.stop_all()


async def _befall(case: Case, flow: Orders, client: redis.Redis, families: dict[str, tuple[str, str]]) -> None:
    """Let it happen to one child of each family."""
    control, family = flow._runtime.session.control, raw_keys.children(client)
    for job_id, (_policy, fate) in families.items():
        key = case.random.choice(family[job_id])
        of, _, child_id = key.removeprefix("job:").rpartition(":")
        match fate:
            case "deleted":
                case.expect(await control.delete(of, child_id), "a child is deleted")
            case "expired":
                client.pexpire(key, 1)
            case "cancelled":
                word = await control.cancel(of, child_id, "as scripted")
                case.expect(word == "cancelled", f"a child that waits is cancelled: {word}")
                case.ledger.write("CANCELLED", child_id)


async def _give_up(case: Case, flow: Orders, ids: Sequence[str]) -> None:
    for job_id in ids:
        word = await flow.cancel_job(job_id)
        case.expect(word == "cancelled", f"a parent that waits is cancelled: {word}")
        case.ledger.write("CANCELLED", job_id)


def _judge(  # noqa: PLR0913, PLR0917 - all that is known of a parent
    case: Case, what: str, fate: str, policy: str, fields: dict[str, str], ended: tuple[str, str | None]
) -> None:
    """Hold how a parent ended against its policy and what became of its children."""
    if fate in {"never", "given up"}:
        wanted = ("done", "4") if fate == "never" else ("cancelled", None)
        case.expect(ended == wanted, f"{what}: the parent ends as {wanted}, not {ended}")
        return
    bad = 2 if fate == "failed" else 1
    if policy == "continue":
        case.expect(ended == ("done", str(4 - bad)), f"{what}: the parent goes on without {bad}, not {ended}")
        seen = raw_keys.endings([json.loads(fields["children:pack:results"])])
        case.expect(seen == {"done": 4 - bad, fate: bad}, f"{what}: it sees {seen}")
    else:
        error = json.loads(fields.get("_error", "{}"))
        told = error.get("type") == "ChildFailed" and error["message"].endswith(f"is {fate}")
        case.expect(ended[0] == "failed" and told, f"{what}: the parent fails by it, not {ended}, {error}")


@row("F5", "parent deleted, cancelled, failed or gone while its children run", long=True)
def f5(case: Case) -> None:
    """Its children end, and write nothing to a parent that is gone or has ended."""
    fleet = case.fleet(concurrency=4)
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        fleet.spawn(queues=["pick", "pack"], options={"on_child_failure": "fail"})
        fleet.spawn(4, queues=["pack:label", "pack:box"], failpoints="before-renew=sleep:30@3")
        fails = case.create(6, "children:6;label=gate:go;label=raise;box=raise")
        ids = case.create(18, "children:6;label=gate:go;label=raise;box=gate:go")
        case.expect(not case.wait_done(fails, 10), "those with a child that fails end by it")
        case.expect(case.count(fails) == {"failed": len(fails)}, f"they fail: {case.count(fails)}")
        case.expect(case.wait_until(lambda: case.count(ids) == {"children": len(ids)}), "the others wait")
        deleted, cancelled, gone = (ids[at::3] for at in range(3))
        running = case.wait_until(lambda: raw_keys.standing(client, "pack:label", places=("processing",)) >= 12)
        case.expect(running, "children run")
        client.delete(*(f"job:orders:{job_id}" for job_id in gone))
        asyncio.run(_with_flow(case, lambda flow: _part(case, flow, deleted, cancelled)))
        ended = [f"job:orders:{job_id}{beside}" for job_id in (*fails, *cancelled) for beside in ("", ":children:pack")]
        before = raw_keys.read(client, ended)
        case.open_gate("go")
        fleet.spawn()
        case.expect(case.wait_until(lambda: not raw_keys.standing(client)), "all children end")
        case.expect(raw_keys.read(client, ended) == before, "nothing is written to a parent that has ended")
        beside = [
            key for key in client.scan_iter("*", count=1000) if any(job_id in key for job_id in (*deleted, *gone))
        ]
        case.expect(not beside, f"nothing is written to a parent that is gone: {beside[:3]}")
        states = Counter(fields["_status"] for fields in raw_keys.read(client, _keys(client)))
    case.expect(set(states) <= {"done", "failed", "cancelled"}, f"each child has ended: {states}")
    case.allow(lost=len(gone))
    case.figures.update({f"children_{state}": count for state, count in states.items()})


def _keys(client: redis.Redis) -> list[str]:
    return [key for keys in raw_keys.children(client).values() for key in keys]


async def _part(case: Case, flow: Orders, deleted: Sequence[str], cancelled: Sequence[str]) -> None:
    for job_id in deleted:
        case.expect(await flow.delete_job(job_id), "a parent is deleted")
        case.ledger.write("DELETED", job_id)
    await _give_up(case, flow, cancelled)
