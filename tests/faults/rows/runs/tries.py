"""Rows F16 and F17: retries of runs and steps, and slots of workflows, while their workers are killed."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from flows import Retries
from tests.faults.case import Case, row
from tests.faults.fleet import Fleet
from tests.faults.rules.exact import most_held
from tests.faults.runs.app_under_test import SLOTS, STEP_TRIES, TRIES, Plan, Under
from tests.faults.runs.scene import Scene
from tests.waiting import patient

_RUNS: Final = 20


@row("F16", "killed in the middle of tries and of backoffs", limit=150)
def f16(case: Case) -> None:
    """Tries are counted up and never beyond their number, deaths count for none, and each run fails in the end."""
    scene = Scene(case)

    async def start(under: Under) -> list[str]:
        return [await under.flaky.emit(Plan(number=n)) for n in range(_RUNS)]

    ids = scene.do(start)
    fleet = scene.fleet()
    kills = 0
    end = time.monotonic() + 6
    fleet.spawn(2)
    case.wait_until(scene.steps, 20, 0.02)

    def kill() -> None:
        nonlocal kills
        if time.monotonic() < end and case.random.random() < 0.1:
            fleet.reap()
            if fleet.alive:
                fleet.kill(case.random.choice(fleet.alive))
                kills += 1
        fleet.fill(2)

    case.expect(scene.wait_ended(ids, 30, each=kill), "each run ends")
    case.expect(scene.ended(ids) == {"failed": _RUNS}, f"as failed: {scene.ended(ids)}")
    for run_id in ids:
        tries = [int(str(entry.fields["step"]).removeprefix("try ")) for entry in scene.steps(run_id)]
        case.expect(tries == sorted(tries), f"attempts are counted up: {tries}")
        case.expect(set(tries) == set(range(1, TRIES + 1)), f"each attempt is made: {tries}")
        whole = Counter(int(str(entry.fields["step"]).removeprefix("try ")) for entry in scene.steps(run_id, at="end"))
        case.expect(min(whole.values()) >= STEP_TRIES, f"and in each the step is tried as often as it says: {whole}")
        case.expect(sum(whole.values()) <= TRIES * STEP_TRIES + kills, f"or once more for a death: {whole}")
    again = Retries(max_attempts=1_000_000, backoff=10.0)
    delays = [again.delay(number).total_seconds() for number in (1, 100, 100_000)]
    case.expect(max(delays) <= 600, f"a delay is never longer than its limit: {delays}")
    case.figures.update(runs=_RUNS, kills=kills)
    scene.at_rest()


@row("F17", "processes killed that hold all slots of a workflow, its override and its versions", limit=150)
def f17(case: Case) -> None:
    """Never more runs execute than there are slots, over all its queues; a dead holder's are free after its lease."""
    case.lease = 2.0  # on a busy machine a look for leases takes a part of that
    scene = Scene(case)

    async def start(under: Under) -> list[str]:
        return [
            await under.slotted.emit(Plan(number=n), queue="fast" if n % 2 else None)  # type: ignore[call-overload]
            for n in range(30)
        ]

    ids = [*scene.do(start), *scene.do(start, version=1), *scene.do(start, version=2)]
    fleets = [scene.fleet(concurrency=8, version=version) for version in (None, 1, 2)]
    kills, free = 0, list[float]()
    for _ in range(3):
        before = len(scene.steps(step="held"))
        for fleet in fleets:
            fleet.fill(1)
        begun = case.wait_until(lambda before=before: len(scene.steps(step="held")) >= before + SLOTS, 10, 0.01)
        case.expect(begun, "runs begin")
        kills += sum(len(fleet.alive) for fleet in fleets)
        killed = _kill_all(fleets)
        seen = len(scene.steps(step="held"))
        for fleet in fleets:
            fleet.fill(1)
        case.wait_until(lambda seen=seen: len(scene.steps(step="held")) > seen, 10, 0.01)
        free.append(time.monotonic() - killed)
    case.expect(scene.wait_ended(ids, 30), f"each run ends: {scene.ended(ids)}")
    case.expect(scene.ended(ids) == {"done": len(ids)}, f"well: {scene.ended(ids)}")
    peak = most_held(_held(case, scene))
    case.expect(peak <= SLOTS, f"at most {SLOTS} execute at once, and {peak} did")
    case.expect(max(free) <= patient(case.t_rec + 1.0), f"slots are free in time: {max(free):.2f} s")
    case.figures.update(peak=peak, kills=kills, free_s=max(free))
    scene.at_rest()


def _kill_all(fleets: list[Fleet]) -> float:
    for fleet in fleets:
        fleet.kill(*fleet.alive)
    killed = time.monotonic()
    for fleet in fleets:
        fleet.wait(*fleet.processes)
    return killed


def _held(case: Case, scene: Scene) -> list[tuple[int, int, int]]:
    """Return from when until when each run held its slot, in milliseconds; that of a dead one half its lease."""
    begins, ends = scene.steps(step="held"), scene.steps(step="held", at="end")
    spans: list[tuple[int, int, int]] = []
    for entry in begins:
        mine = [end.t for end in ends if (end.job_id, end.pid) == (entry.job_id, entry.pid) and end.t >= entry.t]
        until = min(mine, default=entry.t + case.lease / 2)
        spans.append((int(entry.t * 1000) + 1, int(until * 1000), 1))
    return [span for span in spans if span[1] > span[0]]
