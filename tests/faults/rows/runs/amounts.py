"""Rows W2, W4, W6 and W10: many children, slots, sleeping runs and a full server, as the design of workflows asks.

What they take is in their figures; what must hold is judged.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from flows import Workflows
from tests.faults.case import Case, row
from tests.faults.fleet import Fleet
from tests.faults.memory_filler import MemoryFiller
from tests.faults.rules.exact import most_held
from tests.faults.runs.large_app import HELD, NAMESPACE, SLOTS, Given, make_large_app
from tests.faults.runs.scene import Scene

_CHILDREN: Final = 10_000
_SLEEPING: Final = 100_000
_RUNS_A_CALL: Final = 2_000
#: Runs that sleep are due so much later, in milliseconds: all have to sleep by then.
_NAP_MS: Final = 90_000
#: For so many seconds slots are fought for.
_STORM: Final = 60.0


def _do(case: Case, of: str, what: Callable[[Workflows], Any]) -> Any:
    """Await something with an app that has no workers."""

    async def done() -> Any:
        app = make_large_app(case.server.url, case.ledger, of, lease=case.lease)
        try:
            return await what(app)
        finally:
            await app.stop()

    return asyncio.run(done())


async def _start(app: Workflows, name: str, count: int, until_ms: int = 0) -> list[str]:
    workflow, ids = app.reference(name, input=Given, output=int), list[str]()
    for at in range(0, count, _RUNS_A_CALL):
        some = [Given(number=n, until_ms=until_ms) for n in range(at, min(count, at + _RUNS_A_CALL))]
        ids += [handle.id for handle in await workflow.run_many(some)]
    return ids


def _notes(case: Case, what: str) -> list[Any]:
    return [entry for entry in case.entries("NOTE") if entry.fields.get("what") == what]


def _kill_one(case: Case, fleet: Fleet, count: int) -> int:
    """Kill one of the processes, start another one in its place, and return how many were killed."""
    fleet.reap()
    killed = fleet.alive[:0]
    if fleet.alive:
        killed = [case.random.choice(fleet.alive)]
        fleet.kill(*killed)
    fleet.fill(count)
    return len(killed)


@row("W2", "a map of 10,000 children under two workers that are killed", long=True, limit=600)
def w2(case: Case) -> None:
    """Each child is started once, and there is one join; another workflow is claimed meanwhile as always."""
    case.lease = 2.0
    scene = Scene(case)
    fleet, others = scene.fleet(of="map", queues=["map"]), scene.fleet(of="map", queues=["other"])
    fleet.spawn(2)
    others.spawn(1)
    kills, beside = 0, list[str]()

    async def join(app: Workflows) -> str:
        nonlocal kills
        handle = await app.run_by_name("all", {"number": _CHILDREN})
        kill_at, end = 0.0, time.monotonic() + 300
        while await handle.status() != "done" and time.monotonic() < end:
            beside.append((await app.run_by_name("other")).id)
            if time.monotonic() > kill_at:
                kills += _kill_one(case, fleet, 2)
                kill_at = time.monotonic() + case.random.uniform(1.0, 3.0)
            await asyncio.sleep(0.1)
        return handle.id

    began = time.monotonic()
    run_id = _do(case, "map", join)
    case.figures["seconds"] = time.monotonic() - began
    case.expect(scene.wait_ended([run_id, *beside], 20), "the map joins, and the others end")
    with case.server.client() as client:
        children = client.llen(f"{NAMESPACE}job:run:workflow:each")
        output = client.hget(f"{NAMESPACE}job:run:{run_id}", "output")
    case.expect(children == _CHILDREN, f"each child is started once: {children}")
    case.expect(output == str(_CHILDREN * (_CHILDREN - 1)), f"all results come: {output}")
    joined = [entry.fields["count"] for entry in _notes(case, "joined")]
    case.expect(set(joined) == {_CHILDREN}, f"the map is whole when it goes on: {joined}")
    waited = sorted(_do(case, "map", lambda app: _waited(app, beside)))
    case.figures.update(kills=kills, beside=len(waited), claimed_max_ms=waited[-1])
    case.figures["claimed_p95_ms"] = waited[len(waited) * 95 // 100]


async def _waited(app: Workflows, ids: list[str]) -> list[float]:
    """Return for how long each of these runs waited for its worker, in milliseconds."""
    return [(await app.get_run(run_id)).job.path[0].waited.total_seconds() * 1000 for run_id in ids]


@row("W4", "eight workers of three slots that are killed for a minute", long=True, limit=300)
def w4(case: Case) -> None:
    """Never four at once; a dead one's slot is free after its lease, and none is free while runs wait."""
    case.lease = 3.0  # a rescuer wakes a worker where runs wait: more of them would be most of all turns
    scene = Scene(case)
    fleet = scene.fleet(of="slots", concurrency=4)
    count = round(SLOTS * _STORM / HELD)
    ids = _do(case, "slots", lambda app: _start(app, "held", count))
    fleet.spawn(8)
    case.wait_until(lambda: len(_notes(case, "held")) > 2 * SLOTS, 20, 0.05)
    kills, kill_at, end = 0, 0.0, time.monotonic() + _STORM
    held = Counter[int]()
    with case.server.client() as client:
        while time.monotonic() < end and client.llen(f"{NAMESPACE}queue:held:waiting"):
            held[int(client.zcard(f"{NAMESPACE}queue:held:processing"))] += 1
            if time.monotonic() > kill_at:
                kills += _kill_one(case, fleet, 8)
                kill_at = time.monotonic() + case.random.uniform(0.5, 1.5)
            time.sleep(0.002)
    case.expect(max(held) <= SLOTS, f"never more than {SLOTS} slots are held: {held}")
    case.expect(case.wait_until(lambda: scene.ended(ids) == {"done": count}, 120, 0.2), f"all end: {scene.ended(ids)}")
    spans, free = _spans(case)
    peak = most_held(spans)
    case.expect(peak <= SLOTS, f"never more than {SLOTS} execute at once, and {peak} did")
    turns = [entry.fields for entry in _notes(case, "turns")]
    seen, empty = (sum(int(str(one[name])) for one in turns) for name in ("seen", "empty"))
    use = sum(min(SLOTS, n) * many for n, many in held.items()) / (SLOTS * held.total())
    case.figures.update(kills=kills, peak=peak, use=use, turns=seen, empty_percent=100 * empty / max(1, seen))
    case.figures.update(free_s=max(free, default=0.0), freed=len(free))


def _spans(case: Case) -> tuple[list[tuple[int, int, int]], list[float]]:
    """Return from when until when runs executed, in milliseconds, and how long after each death its run began again."""
    begun: dict[str, list[Any]] = {}
    ended: dict[tuple[str, int], float] = {}
    for entry in sorted(_notes(case, "held"), key=lambda entry: entry.t):
        if entry.fields["at"] == "begin":
            begun.setdefault(entry.job_id, []).append(entry)
        else:
            ended[entry.job_id, entry.pid] = entry.t
    dead: dict[int, float] = {}
    for entry in case.entries("KILL"):
        dead.setdefault(int(str(entry.fields["victim"])), entry.t)
    spans, free = list[tuple[int, int, int]](), list[float]()
    for job_id, tries in begun.items():
        for number, one in enumerate(tries):
            end = ended.get((job_id, one.pid))
            if end is None:
                end = dead.get(one.pid, one.t)
                if number + 1 < len(tries):
                    free.append(tries[number + 1].t - end)
            spans.append((int(one.t * 1000) + 1, int(end * 1000), 1))
    return [span for span in spans if span[1] > span[0]], free


@row("W6", "100,000 runs sleep, and are due at one instant", long=True, limit=900)
def w6(case: Case) -> None:
    """One process holds nothing of them while they sleep, and brings all of them to their end."""
    case.lease = 10.0
    scene = Scene(case)
    fleet = scene.fleet(of="sleeps", concurrency=200)
    [worker] = fleet.spawn(1)
    soon = _do(case, "sleeps", lambda app: _start(app, "sleeps", 200, round(time.time() * 1000) + 100))
    case.expect(scene.wait_ended(soon, 30), "it works")
    before = _memory(worker.pid)
    until_ms = round(time.time() * 1000) + _NAP_MS
    began = time.monotonic()
    _do(case, "sleeps", lambda app: _start(app, "sleeps", _SLEEPING, until_ms))
    with case.server.client() as client:
        places = ("waiting", "delayed", "processing")
        waiting, delayed, processing = (f"{NAMESPACE}queue:sleeps:{place}" for place in places)

        def asleep() -> bool:
            return int(client.zcard(delayed)) == _SLEEPING

        case.expect(case.wait_until(asleep, 200, 0.2), "all sleep before their time")
        case.figures["asleep_s"] = time.monotonic() - began
        case.wait_until(lambda: False, 1, 0.5)
        case.figures["kept_mb"] = (_memory(worker.pid) - before) / 1024
        case.wait_until(lambda: time.time() * 1000 >= until_ms, 240, 0.05)

        def left() -> int:
            return int(client.zcard(delayed)) + int(client.llen(waiting)) + int(client.zcard(processing))

        case.wait_until(lambda: not client.zcard(delayed) and not client.llen(waiting), 240, 0.05)
        case.figures["all_begun_s"] = time.time() - until_ms / 1000
        case.expect(case.wait_until(lambda: not left(), 240, 0.05), f"all end: {left()} are left")
    case.figures["all_done_s"] = time.time() - until_ms / 1000


def _memory(pid: int) -> int:
    """Return how much memory a process has, in KiB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


@row("W10", "the server is full in the middle of steps", profile="small", limit=120)
def w10(case: Case) -> None:
    """What steps have done is kept and written when there is room: nothing is lost, and none runs again."""
    case.lease = 10.0
    scene = Scene(case)
    fleet = scene.fleet(of="full")
    fleet.spawn(2)
    ids = _do(case, "full", lambda app: _start(app, "ten", 30))
    case.expect(case.wait_until(lambda: len(_notes(case, "step")) > 60, 20, 0.02), "steps run")
    with MemoryFiller(case.server):
        before = _recorded(case, ids)
        stuck = case.wait_until(lambda: len(_notes(case, "step")) >= before + 30, 5, 0.02)
        case.wait_until(lambda: False, 1.5, 0.1)
        inside = _recorded(case, ids)
    case.figures.update(recorded_while_full=inside - before, went_on=int(stuck))
    case.expect(scene.wait_ended(ids, 30), f"each run ends: {scene.ended(ids)}")
    case.expect(scene.ended(ids) == {"done": len(ids)}, f"well: {scene.ended(ids)}")
    counts = Counter((entry.job_id, entry.fields["step"]) for entry in _notes(case, "step"))
    twice = [step for step, count in counts.items() if count > 1]
    case.expect(len(counts) == 10 * len(ids), f"each step runs: {len(counts)}")
    case.expect(not twice, f"and none again: {twice[:3]}")
    scene.at_rest()


def _recorded(case: Case, ids: list[str]) -> int:
    """Count the steps that are recorded; a server that is full answers that."""
    with suppress(RedisError), case.server.client() as client, client.pipeline(transaction=False) as pipeline:
        for run_id in ids:
            pipeline.hkeys(f"{NAMESPACE}job:run:{run_id}")
        return sum(str(name).startswith("step:") for names in pipeline.execute() for name in names)
    return 0
