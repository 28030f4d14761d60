"""Rows D: wall clocks that are wrong, of workers and of the server."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from unittest.mock import patch

from tests.faults.case import Case, row
from tests.faults.clock import Clock, clock_available
from tests.faults.producer import Producer
from tests.faults.repeating_thread import RepeatingThread

#: A retry of the jobs is due after so many seconds.
_DELAY = 0.5


def _skip_without_compiler(case: Case) -> None:
    if not clock_available():
        case.skip("no C compiler")


@row("D1", "clocks of workers 5 min ahead, 5 min behind, and drifting")
def d1(case: Case) -> None:
    """Leases and due times are the server's: nobody is robbed, and delayed jobs begin when they are due."""
    _skip_without_compiler(case)
    with ExitStack() as stack:
        clocks = [stack.enter_context(Clock(case.directory / f"clock-{number}")) for number in range(3)]
        for clock, minutes in zip(clocks, (5, -5, 0), strict=True):
            clock.shift(minutes * 60_000)
            with patch.dict(os.environ, clock.environment):
                fleet = case.fleet()
            fleet.spawn(1)
        began = time.monotonic()
        # Ten times as fast as time itself.
        stack.enter_context(RepeatingThread(lambda: clocks[2].shift(int(9_000 * (time.monotonic() - began))), 0.02))
        with Producer(case, kind=f"retry:{_DELAY}@1;slow:0.2;children:2", pause=0.05) as producer:
            time.sleep(5)
        left = case.wait_done(producer.ids, 15)
        case.expect(not left, f"all are done, but {len(left)}")
        for fleet in case.fleets:
            fleet.finish()
    rescued = [entry for entry in case.entries("NOTE") if entry.fields["what"] in {"job.rescued", "job.lost"}]
    case.expect(not rescued, f"nobody loses a lease: {rescued[:3]}")
    ended = {entry.job_id: entry.t for entry in case.entries("DONE") if entry.fields["ending"] == "Retry"}
    begun = [e for e in case.starts(queue="pick") if e.fields["attempt"] == 2]
    lateness = [1000 * (entry.t - ended[entry.job_id] - _DELAY) for entry in begun if entry.job_id in ended]
    case.expect(len(lateness) > 100, f"enough jobs are delayed, and not {len(lateness)}")
    case.figures |= {"false_reclaims": len(rescued), "delayed": len(lateness)}
    case.figures |= {"earliest_ms": min(lateness, default=0.0), "latest_ms": max(lateness, default=0.0)}
    # When the turn was answered is noted a little after the server took it.
    case.expect(min(lateness, default=0.0) > -200, "no delayed job begins early")
    case.expect(max(lateness, default=0.0) < 1_500, "no delayed job begins late")


@row("D3", "the server's clock an hour back", clock=True)
def d3(case: Case) -> None:
    """Leases that would now last an hour are cut: a worker that dies then is robbed as soon as any other."""
    _skip_without_compiler(case)
    case.recovers_at = "none"  # the reconciler comes every two leases, and counts on top
    fleet = case.fleet()
    fleet.spawn(3)
    with Producer(case, kind="slow:0.5;children:2", pause=0.05) as producer:
        time.sleep(1)
        victim = max(fleet.alive, key=lambda process: len(_begun_only(case, process.pid)))
        fleet.kill(victim)
        killed = time.monotonic()
        case.server.shift_clock(-3_600_000)
        in_flight = _begun_only(case, victim.pid)
        case.wait_until(lambda: not _nowhere_else(case, in_flight, victim.pid), 10, 0.05)
        frozen = _nowhere_else(case, in_flight, victim.pid)
        case.expect(in_flight, "the victim had jobs in flight")
        case.expect(not frozen, f"jobs of a dead worker are not frozen for an hour: {sorted(frozen)[:3]}")
        case.figures |= {"in_flight": len(in_flight), "frozen_s": time.monotonic() - killed, "frozen": len(frozen)}
        time.sleep(1)
    left = case.wait_done(producer.ids, 15)
    case.expect(not left, f"all are done, but {len(left)}")
    fleet.finish()
    # What ended before would else seem to be kept for an hour too long.
    case.server.shift_clock(0)


@row("D4", "jobs wait for 48 h without a worker", clock=True)
def d4(case: Case) -> None:
    """A weekend is no reason to lose what waits, nor is one without a worker after the first queue."""
    _skip_without_compiler(case)
    ids = case.create(1_000, lambda number: "children:1" if number % 10 == 0 else "plain")
    case.server.shift_clock(48 * 3_600_000)
    case.fleet(concurrency=16).spawn(2)
    left = case.wait_done(ids, 30)
    case.expect(not left, f"all are done, but {len(left)}")
    case.figures |= {"waited_h": 48, "done": case.count(ids)["done"]}


def _begun_only(case: Case, pid: int) -> set[str]:
    """Return the keys of the attempts that a process had begun when it died."""
    effects = {(entry.key, entry.pid) for entry in case.entries("EFFECT")}
    return {entry.key for entry in case.starts(pid=pid) if (entry.key, pid) not in effects}


def _nowhere_else(case: Case, keys: set[str], pid: int) -> set[str]:
    return keys - {entry.key for entry in case.starts() if entry.pid != pid}
