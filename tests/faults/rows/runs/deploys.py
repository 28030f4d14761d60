"""Row W9: two apps of one namespace are deployed anew, a process at a time, while their runs sleep."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from tests.faults.case import Case, row
from tests.faults.fleet import Fleet
from tests.faults.runs.large_app import NAMESPACE
from tests.faults.runs.scene import Scene

#: Between two slots, in milliseconds.
_EVERY_MS = 250
#: What no process has defined any more goes within so many seconds.
_PRUNED = 45.0
_STAYS, _GOES = ("kept", "moved", "other"), ("before", "dropped")


@row("W9", "a rolling deploy of two apps that drops, renames and moves workflows", long=True, limit=300)
def w9(case: Case) -> None:
    """No run is lost, and no slot of what is still defined; what is not goes soon, and its runs wait for who has it."""
    scene = Scene(case)
    old = [scene.fleet(of="old", app="one"), scene.fleet(of="old of the other", app="two")]
    new = [scene.fleet(of="new", app="one"), scene.fleet(of="new of the other", app="two")]
    for fleet in old:
        fleet.spawn(2)
    case.expect(case.wait_until(lambda: _least(case, *_STAYS, *_GOES) > 3, 30, 0.1), "the old releases have slots")
    for _ in range(2):
        for going, coming in zip(old, new, strict=True):
            coming.spawn(1)
            slots = _least(case, "kept")
            case.wait_until(lambda slots=slots: _least(case, "kept") > slots + 2, 20, 0.1)
            _end_one(going)
    gone = time.monotonic()
    case.expect(case.wait_until(lambda: _least(case, "after") > 8, 30, 0.1), "the new releases have slots")
    pruned = case.wait_until(lambda: not _schedules(case) & {*_GOES}, 2 * _PRUNED, 0.1)
    case.figures["pruned_s"] = time.monotonic() - gone
    case.expect(pruned, f"what nobody defines any more is dropped: {_schedules(case)}")
    case.expect(_schedules(case) == {"after", *_STAYS}, f"and all else is there: {_schedules(case)}")
    for fleet in new:
        fleet.finish()
    found = _runs(case)
    for name in _STAYS:
        slots = Counter(slot for slot, _ in found[name])
        missing = {*range(min(slots), max(slots) + 1, _EVERY_MS)} - slots.keys()
        case.expect(not missing, f"no slot of {name} is left out: {len(missing)} of {len(slots)}")
        case.expect(max(slots.values()) == 1, f"none of {name} runs twice: {slots.most_common(2)}")
        case.figures[f"slots_{name}"] = len(slots)
    every = [run_id for runs in found.values() for _, run_id in runs]
    left = [run_id for name in _GOES for _, run_id in found[name]]
    open_runs = len(left) - scene.ended(left)["done"]
    case.figures.update(runs=len(every), waited_for_their_code=open_runs)
    _let_end(case, scene, old + new, every)
    begun = Counter((entry.job_id, entry.fields["at"]) for at in ("begin", "end") for entry in scene.steps(at=at))
    lost = [run_id for run_id in every if not (begun[run_id, "begin"] and begun[run_id, "end"])]
    case.expect(not lost, f"each run does both of its steps: {lost[:3]}")
    twice = [step for step, count in begun.items() if count > 1]
    case.expect(not twice, f"and each once: {twice[:3]}")


def _end_one(fleet: Fleet) -> None:
    fleet.reap()
    [process, *_] = fleet.alive
    fleet.terminate(process)
    fleet.wait(process)


def _let_end(case: Case, scene: Scene, fleets: list[Fleet], ids: list[str]) -> None:
    """Let both releases work on what they have left."""
    for fleet in fleets:
        fleet.spawn(1)
    case.expect(scene.wait_ended(ids, 30), f"each run ends: {scene.ended(ids)}")
    case.expect(scene.ended(ids) == {"done": len(ids)}, f"well: {scene.ended(ids)}")
    for fleet in fleets:
        fleet.finish()


def _runs(case: Case) -> dict[str, list[tuple[int, str]]]:
    """Return the slot, in milliseconds, and the id of each run that a schedule has started, by the schedules."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with case.server.client() as client:
        keys = [str(key) for key in client.scan_iter(f"{NAMESPACE}job:run:*", count=1000, _type="hash")]
        with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hget(key, "_schedule")
            for key, text in zip(keys, pipeline.execute(), strict=True):
                slot, _, schedule = str(text or "").partition(" ")
                if slot.isdigit():
                    found[schedule].append((int(slot), key.rpartition(":")[2]))
    return found


def _least(case: Case, *schedules: str) -> int:
    found = _runs(case)
    return min(len(found[name]) for name in schedules)


def _schedules(case: Case) -> set[str]:
    with case.server.client() as client:
        return {str(name) for name in client.zrange(f"{NAMESPACE}flows:schedules", 0, -1)}
