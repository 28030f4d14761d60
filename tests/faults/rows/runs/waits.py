"""Row F10: sleeps and events, while the server restarts and its clock jumps."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.faults.case import Case, row
from tests.faults.clock import clock_available
from tests.faults.runs.app_under_test import Go, Plan, Under
from tests.faults.runs.scene import Scene

_EACH: Final = 20
#: Seconds that some runs sleep, and others.
_SHORT, _LONG = 1.5, 1_800.0


@row("F10", "sleeps and events over a restart of the server and a jump of its clock", clock=True, limit=120)
def f10(case: Case) -> None:
    """Each goes on once: what slept is due by the server's clock, and an event that came before the wait counts."""
    if not clock_available():
        case.skip("no C compiler")
    scene = Scene(case)
    short, long, early, late = scene.do(_start)
    every = [*short, *long, *early, *late]
    fleet = scene.fleet()
    fleet.spawn(2)
    case.expect(
        case.wait_until(lambda: len(scene.steps(step="before", at="end")) == len(every), 20, 0.02),
        "each begins",
    )
    case.expect(scene.wait_ended(early, 20), "runs go on with the events that were there before them")
    case.server.kill()
    case.server.restart()
    scene.do(_send_late)
    case.expect(scene.wait_ended([*short, *late], 20), "sleeps and waits go on after the restart")
    states = scene.ended(long)
    case.expect(not states["done"], f"who sleeps for half an hour does so: {states}")
    case.server.shift_clock(int(_LONG * 1000) + 60_000)
    case.expect(scene.wait_ended(long, 20), "and is due when the server's clock says so")
    afters = [entry.job_id for entry in scene.steps(step="after")]
    case.expect(sorted(afters) == sorted(every), f"each goes on once: {len(afters)} of {len(every)}")
    earlier = [entry.job_id for entry in scene.steps(step="before")]
    case.expect(len(earlier) == len(every), "and repeats nothing")
    began = {entry.job_id: entry.t for entry in scene.steps(step="before", at="end")}
    lateness = [entry.t - began[entry.job_id] - _SHORT for entry in scene.steps(step="after") if entry.job_id in short]
    case.figures.update(runs=len(every), earliest_s=min(lateness), latest_s=max(lateness))
    case.expect(min(lateness) > -0.05, f"nobody wakes early: {min(lateness):.3f} s")
    scene.at_rest()
    case.server.shift_clock(0)


async def _start(under: Under) -> tuple[list[str], list[str], list[str], list[str]]:
    short = [await under.sleeper.emit(Plan(number=n, kind=str(_SHORT))) for n in range(_EACH)]
    long = [await under.sleeper.emit(Plan(number=n, kind=str(_LONG))) for n in range(_EACH)]
    early = [await under.sleeper.emit(Plan(number=n, kind="event")) for n in range(_EACH)]
    late = [await under.sleeper.emit(Plan(number=_EACH + n, kind="event")) for n in range(_EACH)]
    await asyncio.gather(*(under.go.send(Go(value=n), key=f"k{n}", event_id="e") for n in range(_EACH) for _ in "ab"))
    return short, long, early, late


async def _send_late(under: Under) -> None:
    for n in range(_EACH, 2 * _EACH):
        for _ in "ab":
            await under.go.send(Go(value=n), key=f"k{n}", event_id="e")
