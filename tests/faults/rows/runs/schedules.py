"""Rows F14 and F15: schedules, while schedulers die, their clocks are wrong, the server restarts and code changes."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import ExitStack
from typing import Final
from unittest.mock import patch

from tests.faults.case import Case, row
from tests.faults.clock import Clock, clock_available
from tests.faults.fleet import Fleet
from tests.faults.runs.app_under_test import NAMESPACE
from tests.faults.runs.scene import Scene

#: Seconds between two slots.
_EVERY: Final = 0.1
_SECONDS: Final = 6.0


@row("F14", "ten schedulers with clocks 5 min apart are killed, and the server restarts", limit=120)
def f14(case: Case) -> None:
    """Each slot has one run, whoever dies when; also those that came while nobody was there."""
    if not clock_available():
        case.skip("no C compiler")
    scene = Scene(case)
    kills = 0
    with ExitStack() as stack:
        fleets: list[Fleet] = []
        for number, minutes in enumerate((5, 0, -5)):
            clock = stack.enter_context(Clock(case.directory / f"clock-{number}"))
            clock.shift(minutes * 60_000)
            with patch.dict(os.environ, clock.environment):
                fleets.append(scene.fleet(ticks={"tenth": _EVERY}))
        for number in range(10):
            fleets[number % 3].spawn(1)
        case.expect(case.wait_until(lambda: len(_slots(case)["tenth"]) > 3, 20, 0.05), "slots come")
        end = time.monotonic() + _SECONDS
        restart = end - _SECONDS / 2
        while time.monotonic() < end:
            time.sleep(case.random.uniform(0.05, 0.25))
            fleet = case.random.choice(fleets)
            fleet.reap()
            if fleet.alive:
                fleet.kill(case.random.choice(fleet.alive))
                kills += 1
            fleet.fill(3)
            if restart and time.monotonic() > restart:
                case.server.kill()
                case.server.restart()
                restart = 0.0
        case.wait_until(lambda: _newest_age(case) < 10 * _EVERY, 10, 0.05)
        for fleet in fleets:
            fleet.finish()
    _judge(case, "tenth", _EVERY)
    case.figures["kills"] = kills


def _slots(case: Case) -> dict[str, Counter[int]]:
    """Count the runs of each slot, in milliseconds, by their schedules."""
    found: dict[str, Counter[int]] = {"tenth": Counter(), "fifth": Counter(), "new": Counter()}
    with case.server.client() as client:
        keys = [str(key) for key in client.scan_iter(f"{NAMESPACE}job:run:*", count=1000, _type="hash")]
        with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hget(key, "_schedule")
            for text in pipeline.execute():
                slot, _, schedule = str(text or "").partition(" ")
                if slot.isdigit():
                    found[schedule][int(slot)] += 1
    return found


def _newest_age(case: Case) -> float:
    return time.time() - max(_slots(case)["tenth"], default=0) / 1000


def _judge(case: Case, schedule: str, every: float) -> None:
    slots = _slots(case)[schedule]
    step = round(every * 1000)
    wanted = set(range(min(slots), max(slots) + 1, step))
    case.expect(set(slots) == wanted, f"no slot of {schedule} is left out: {len(wanted - set(slots))} of {len(wanted)}")
    case.expect(set(slots.values()) == {1}, f"and none runs twice: {slots.most_common(3)}")
    case.figures[f"slots_{schedule}"] = len(slots)


@row("F15", "a rolling deploy of schedules, by processes of one host", limit=180)
def f15(case: Case) -> None:
    """What both releases declare goes on without a gap or a double; what the new one drops ends with the old one."""
    scene = Scene(case)
    old = scene.fleet(ticks={"tenth": _EVERY, "fifth": 2 * _EVERY})
    new = scene.fleet(ticks={"tenth": _EVERY, "new": 3 * _EVERY})
    old.spawn(3)
    case.expect(case.wait_until(lambda: len(_slots(case)["fifth"]) > 3, 20, 0.05), "the old release has slots")
    for number in range(3):
        new.spawn(1)
        case.wait_until(lambda number=number: len(_slots(case)["new"]) > 2 * number, 10, 0.05)
        [going] = old.alive[:1]
        old.terminate(going)
        old.wait(going)
    gone = time.monotonic()
    case.expect(case.wait_until(lambda: len(_slots(case)["new"]) > 8, 20, 0.05), "the new release has slots")
    if case.seed == 1:  # it takes half a minute
        pruned = case.wait_until(lambda: not _scheduled(case, "fifth"), 60, 0.2)
        case.expect(pruned, "a schedule that the new release has not is dropped")
        case.figures["pruned_s"] = time.monotonic() - gone
    new.finish()
    for schedule, every in (("tenth", _EVERY), ("new", 3 * _EVERY), ("fifth", 2 * _EVERY)):
        _judge(case, schedule, every)


def _scheduled(case: Case, schedule: str) -> bool:
    with case.server.client() as client:
        return client.zscore(f"{NAMESPACE}flows:schedules", schedule) is not None
