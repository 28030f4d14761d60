"""What a worker has in flight: each job ends once, by what decided it first, and what is lost is not written."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest

from flows import LostLease
from flows.kernel.attempt import Attempt
from flows.kernel.in_flight import InFlight
from flows.kernel.unable import Rest
from flows.model.job import JobError
from flows.model.outcome import AwaitChildren, Cancel, Fail, Finish, Outcome, Release, Snooze
from flows.store.jobs.claimed import ClaimedJob
from flows.store.jobs.finished import FinishedAttempt
from flows.telemetry.events import Event, Events
from tests.kernel.parts import within
from tests.waiting import until

GRACE = 0.3
TIMED_OUT = Fail(JobError(type="Timeout", message=""))
DONE = Finish({})

Function = Callable[[Attempt], Awaitable[Outcome | None]]


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long for a test."""
    monkeypatch.setattr("flows.kernel.deadlines.GRACE", GRACE)
    monkeypatch.setattr("flows.kernel.in_flight.GRACE", GRACE)


def claimed(job_id: str = "1", fence: int = 1) -> ClaimedJob:
    """Return a job as a turn brings it."""
    return ClaimedJob([job_id.encode(), fence, 1, 0, 0, 0, None])


class Reports:
    """Keeps what functions tell."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.lines: list[str] = []

    def take(self, _current: object, progress: bytes, line: str | None) -> None:
        """Keep it."""
        self.taken += [progress] if progress else []
        self.lines += [] if line is None else [line]


class Held:
    """A hand, the function that it runs, and what came of it."""

    def __init__(self, function: Function, timeout: float | None = None, concurrency: int = 2) -> None:
        self.timeout = timeout
        self.fields: list[str] = []
        self.run = function
        self.progress = Reports()
        self.wakes = asyncio.Event()
        self.fanned_out: list[Attempt] = []
        self.seen: list[Event] = []
        events = Events(logging.getLogger("flows.test"))
        events.subscribe(self.seen.append)
        progress = cast("Any", self.progress)
        self.in_flight = InFlight(
            "work",
            self,
            concurrency,
            progress,
            events,
            Rest("work", events),
            self.before_end,
            partial(FinishedAttempt, child=False),
            self.wakes.set,
        )

    def clock(self, watch: Callable[[Attempt], None]) -> Callable[[Attempt], None]:
        """Return what starts the timeout."""
        return watch

    def timed_out(self, _attempt: Attempt) -> Outcome:
        """Judge that a job timed out."""
        return TIMED_OUT

    async def before_end(self, job: Attempt, outcome: AwaitChildren | Snooze) -> Outcome | None:
        """Create children that are too many for one script."""
        self.fanned_out.append(job)
        await asyncio.sleep(0)
        return outcome

    async def woken(self) -> None:
        """Wait until an attempt has ended."""
        await within(self.wakes.wait())
        self.wakes.clear()

    def reported(self) -> list[tuple[str, int, Outcome]]:
        """Take what is to be reported, as a turn does."""
        ended = self.in_flight.unreported.take()
        self.in_flight.reported(ended)
        return [(one.claimed.id, one.claimed.fence, one.outcome) for one in ended]

    @property
    def events(self) -> list[str]:
        """The names of what happened."""
        return [event.name for event in self.seen]


class Stubborn:
    """A function that hears that it shall end, counts it, and goes on until `go_on`, then ends as `outcome`."""

    def __init__(self, outcome: Outcome | None = DONE) -> None:
        self.outcome = outcome
        self.begun, self.told, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.times = 0
        self.jobs: list[Attempt] = []

    async def __call__(self, attempt: Attempt) -> Outcome | None:
        """Go on."""
        self.jobs.append(attempt)
        self.begun.set()
        asyncio.get_running_loop().call_later(5, self.go_on.set)  # a test that has failed shall end too
        while not self.go_on.is_set():
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.times += 1
                self.told.set()
        return self.outcome


async def obedient(attempt: Attempt) -> Outcome | None:
    """Wait until told to end, then end as told."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return attempt.stop_as
    return DONE


async def test_what_ends_is_reported_once() -> None:
    """A job is held from its claim until it is reported, and its lease is to be kept as long."""

    async def quick(_attempt: Attempt) -> Outcome:
        return DONE

    held = Held(quick)
    held.in_flight.accept([claimed("1"), claimed("2", 7)])
    assert held.in_flight.leases() == [("1", 1), ("2", 7)]
    await until(lambda: not held.in_flight.busy)
    assert held.in_flight.leases() == [("1", 1), ("2", 7)]
    assert held.reported() == [("1", 1, DONE), ("2", 7, DONE)]
    assert (held.in_flight.leases(), held.reported(), len(held.in_flight.unreported)) == ([], [], 0)
    await held.in_flight.close()
    assert held.in_flight.left_behind == 0


async def test_an_end_that_cannot_be_packed() -> None:
    """A fault of ours is told, and the lease of the job runs out; it stops neither the lane nor the other job."""

    async def quick(attempt: Attempt) -> Outcome:
        return DONE if attempt.claimed.id == "2" else cast("Any", "no outcome")

    held = Held(quick)
    held.in_flight.accept([claimed("1"), claimed("2")])
    while held.in_flight.busy:
        await held.woken()
    assert (held.in_flight.leases(), held.events) == ([("2", 1)], ["worker.crashed"])
    assert held.reported() == [("2", 1, DONE)]
    await held.in_flight.close()


async def test_a_cancellation_that_is_heard_again_is_told_once() -> None:
    """The word comes with every renewal; a function that cleans up is not disturbed by the second."""
    stubborn = Stubborn()
    held = Held(stubborn)
    held.in_flight.accept([claimed()])
    await within(stubborn.begun.wait())
    held.in_flight.lease_answered("1", 8, "cancel")  # the word for another attempt
    assert not stubborn.jobs[0].current.cancelled
    for _ in range(3):
        held.in_flight.lease_answered("1", 1, "cancel")
        await within(stubborn.told.wait())
    stubborn.go_on.set()
    await held.woken()
    assert stubborn.times == 1
    assert stubborn.jobs[0].current.cancelled
    assert held.reported() == [("1", 1, DONE)]  # its work is there: the store has the last word
    await held.in_flight.close()


async def test_a_ready_job_is_cancelled_without_running() -> None:
    """One that was claimed ahead ends as cancelled; the one that runs is told."""
    held = Held(obedient, concurrency=1)
    held.in_flight.accept([claimed("1"), claimed("2")])
    await asyncio.sleep(0)
    held.in_flight.lease_answered("2", 1, "cancel")
    assert held.reported() == [("2", 1, Cancel())]
    held.wakes.clear()
    held.in_flight.lease_answered("1", 1, "cancel")
    await held.woken()
    assert held.reported() == [("1", 1, Cancel())]
    await held.in_flight.close()


async def test_a_lost_lease() -> None:
    """Nothing is held, reported or told any more: progress and log raise LostLease; the function is cancelled."""
    stubborn = Stubborn()
    held = Held(stubborn)
    held.in_flight.accept([claimed()])
    await within(stubborn.begun.wait())
    (job,) = stubborn.jobs
    job.current.progress(0.5)
    for _ in range(2):
        held.in_flight.lease_answered("1", 1, "stale")
        await within(stubborn.told.wait())
    assert (held.in_flight.leases(), job.current.lost, job.current.cancelled) == ([], True, True)
    for tell in (lambda: job.current.progress(1), lambda: job.current.log("a line")):
        with pytest.raises(LostLease, match="job 1: this attempt has lost its lease"):
            tell()
    stubborn.go_on.set()
    await held.woken()
    assert (stubborn.times, held.reported(), len(held.progress.taken)) == (1, [], 1)
    assert held.events == ["job.lost"]
    await held.in_flight.close()
    assert held.in_flight.left_behind == 0


async def test_a_ready_job_that_is_lost_does_not_run() -> None:
    """One that was claimed ahead is dropped."""
    ran: list[str] = []
    begun = asyncio.Event()

    async def noting(attempt: Attempt) -> Outcome | None:
        ran.append(attempt.claimed.id)
        begun.set()
        return await obedient(attempt)

    held = Held(noting, concurrency=1)
    held.in_flight.accept([claimed("1"), claimed("2")])
    await within(begun.wait())
    held.in_flight.lease_answered("2", 1, "stale")
    held.in_flight.lease_answered("1", 1, "cancel")
    await held.woken()
    assert (ran, held.reported()) == (["1"], [("1", 1, Cancel())])
    await held.in_flight.close()


async def test_a_job_that_comes_again() -> None:
    """A job whose lease was over before anyone told, claimed anew: only the new attempt counts."""
    stubborn = Stubborn()
    held = Held(stubborn)
    held.in_flight.accept([claimed("1", 1)])
    await within(stubborn.begun.wait())
    held.in_flight.accept([claimed("1", 2)])
    await within(stubborn.told.wait())
    assert held.in_flight.leases() == [("1", 2)]
    assert stubborn.jobs[0].current.lost
    stubborn.go_on.set()
    while not held.in_flight.unreported:
        await held.woken()
    assert held.reported() == [("1", 2, DONE)]
    await held.in_flight.close()


async def test_a_job_that_comes_again_with_the_turn_that_reports_it() -> None:
    """What the turn recorded is forgotten, and not the new attempt."""
    stubborn = Stubborn()

    async def function(attempt: Attempt) -> Outcome | None:
        return DONE if attempt.claimed.fence == 1 else await stubborn(attempt)

    held = Held(function)
    held.in_flight.accept([claimed("1", 1)])
    await held.woken()
    ended = held.in_flight.unreported.take()
    held.in_flight.accept([claimed("1", 2)])
    held.in_flight.reported(ended)
    assert held.in_flight.leases() == [("1", 2)]
    stubborn.go_on.set()
    await held.woken()
    assert held.reported() == [("1", 2, DONE)]
    await held.in_flight.close()


async def test_a_timeout() -> None:
    """At its deadline an attempt is told, and ends as timed out whatever it still returns, also when we stop then."""
    for outcome in (DONE, None, Cancel()):
        stubborn = Stubborn(outcome)
        held = Held(stubborn, timeout=0.02)
        held.in_flight.accept([claimed()])
        await within(stubborn.told.wait())
        held.in_flight.release_running()
        stubborn.go_on.set()
        await held.woken()
        assert held.reported() == [("1", 1, TIMED_OUT)]
        assert stubborn.times == 1
        assert (held.events, held.in_flight.left_behind, held.in_flight.busy) == (["job.timed_out"], 0, False)
        assert not stubborn.jobs[0].current.lost
        await held.in_flight.close()


async def test_a_timeout_that_is_not_heeded() -> None:
    """After a grace the job is reported without its function, whose place stays taken until it returns."""
    stubborn = Stubborn()
    held = Held(stubborn, timeout=0.02, concurrency=1)
    held.in_flight.accept([claimed("1"), claimed("2")])
    await held.woken()
    assert held.reported() == [("1", 1, TIMED_OUT)]
    assert (held.events, held.in_flight.left_behind) == (["job.timed_out", "job.overruns"], 1)
    assert [job.claimed.id for job in held.in_flight.lanes.ready] == ["2"]
    with pytest.raises(LostLease, match="job 1: this attempt has ended: its progress counts no more"):
        stubborn.jobs[0].current.progress(1)
    stubborn.jobs[0].current.log("late")
    assert len(held.progress.lines) == 1
    held.in_flight.release_ready()
    assert held.reported() == [("2", 1, Release())]
    assert not held.in_flight.busy
    held.wakes.clear()
    stubborn.go_on.set()
    await held.woken()
    assert (held.in_flight.left_behind, held.reported(), stubborn.times) == (0, [], 1)
    await held.in_flight.close()


async def test_a_timeout_after_which_the_lease_is_lost() -> None:
    """Nothing is written of it any more."""
    stubborn = Stubborn()
    held = Held(stubborn, timeout=0.02)
    held.in_flight.accept([claimed()])
    await within(stubborn.told.wait())
    held.in_flight.lease_answered("1", 1, "stale")
    stubborn.go_on.set()
    await held.woken()
    assert (held.reported(), stubborn.jobs[0].current.lost) == ([], True)
    await held.in_flight.close()


async def test_children_of_an_attempt_that_was_decided_are_not_created() -> None:
    """Neither after its deadline nor after its lease was lost; else they are."""
    waits = AwaitChildren([], None, {})
    for word, created in (("stale", False), ("cancel", True), (None, False)):
        stubborn = Stubborn(waits)
        held = Held(stubborn, timeout=None if word else 0.02)
        held.in_flight.accept([claimed()])
        await within(stubborn.begun.wait())
        if word:
            held.in_flight.lease_answered("1", 1, word)
        await within(stubborn.told.wait())
        stubborn.go_on.set()
        await held.woken()
        assert bool(held.fanned_out) == created
        await held.in_flight.close()


async def test_what_runs_is_handed_back() -> None:
    """Told once, however often the worker is stopped; what ends is released, what does not is left behind."""
    stubborn = Stubborn()

    async def function(attempt: Attempt) -> Outcome | None:
        return await (obedient if attempt.claimed.id == "1" else stubborn)(attempt)

    held = Held(function)
    held.in_flight.accept([claimed("1"), claimed("2")])
    await within(stubborn.begun.wait())
    for _ in range(2):
        held.in_flight.release_running()
        await within(stubborn.told.wait())
    assert held.reported() == [("1", 1, Release())]
    assert held.in_flight.busy
    held.wakes.clear()
    await held.woken()
    assert held.reported() == [("2", 1, Release())]
    assert (held.events, held.in_flight.left_behind, held.in_flight.busy) == (["job.overruns"], 1, False)
    held.in_flight.release_running()
    assert stubborn.times == 1
    stubborn.go_on.set()
    await held.woken()
    assert (held.in_flight.left_behind, held.reported()) == (0, [])
    await held.in_flight.close()


async def test_a_lost_job_that_does_not_end_is_not_waited_for() -> None:
    """When the worker stops it is left behind as others are, and nothing of it is reported."""
    stubborn = Stubborn()
    held = Held(stubborn)
    held.in_flight.accept([claimed()])
    await within(stubborn.begun.wait())
    held.in_flight.lease_answered("1", 1, "stale")
    await within(stubborn.told.wait())
    assert held.in_flight.busy
    held.in_flight.release_running()
    await held.woken()
    assert (held.in_flight.busy, held.in_flight.left_behind, held.reported()) == (False, 1, [])
    stubborn.go_on.set()
    await held.woken()
    await held.in_flight.close()
    assert held.in_flight.left_behind == 0


async def test_closing_counts_what_is_left() -> None:
    """What runs, what is ready and what ended without being reported is left to its lease; it is bounded.

    A function that is told so ends as one that has lost its lease, and what was ready does not begin after that.
    """
    stubborn, ended = Stubborn(), asyncio.Event()

    async def function(attempt: Attempt) -> Outcome | None:
        return DONE if attempt.claimed.id == "1" else await stubborn(attempt)

    async def first(attempt: Attempt) -> Outcome | None:
        try:
            return await function(attempt)
        finally:
            if attempt.claimed.id == "2":
                asyncio.get_running_loop().call_later(GRACE, ended.set)

    held = Held(first, concurrency=1)
    held.in_flight.accept([claimed("1"), claimed("2"), claimed("3")])
    await within(stubborn.begun.wait())
    await within(held.in_flight.close(), 5)
    assert (held.in_flight.left_behind, held.in_flight.leases(), stubborn.times) == (3, [], 1)
    assert stubborn.jobs[0].current.lost
    stubborn.go_on.set()
    await within(ended.wait())
    assert [job.claimed.id for job in stubborn.jobs] == ["2"]


def timed(seconds: float) -> ClaimedJob:
    """Return a job of a queue with rules that may start so many seconds from now."""
    return ClaimedJob([b"1", 1, 1, 0, 0, 0, None], start_at=time.monotonic() + seconds)


async def test_a_job_with_a_start_begins_then_and_its_timeout_after_that() -> None:
    """A token was given out ahead: the lane waits for its time, and nothing is timed before."""
    began: list[float] = []

    async def function(attempt: Attempt) -> Outcome:
        began.append(time.monotonic())
        assert attempt.current.deadline is not None
        began.append(attempt.current.deadline)
        return DONE

    held = Held(function, timeout=30)
    job = timed(0.05)
    held.in_flight.accept([job])
    await asyncio.sleep(0)
    assert (held.in_flight.busy, held.in_flight.running_since()) == (True, [])
    await held.woken()
    assert held.reported() == [("1", 1, DONE)]
    assert began[0] >= job.start_at
    assert began[1] >= job.start_at + 30


@pytest.mark.parametrize(("word", "outcome"), [("cancel", Cancel()), ("stale", None)])
async def test_a_job_that_is_stopped_before_its_start_never_begins(word: str, outcome: Outcome | None) -> None:
    """It is cancelled, or nothing of it is written where its lease is lost; its lane is free again."""
    stubborn = Stubborn()
    held = Held(stubborn, concurrency=1)
    held.in_flight.accept([timed(600)])
    await until(lambda: held.in_flight.lanes.running)
    held.in_flight.lease_answered("1", 1, word)
    await held.woken()
    assert held.reported() == ([] if outcome is None else [("1", 1, outcome)])
    assert (stubborn.jobs, held.in_flight.busy, held.in_flight.left_behind) == ([], False, 0)
    held.in_flight.accept([claimed("2")])
    await within(stubborn.begun.wait())
    stubborn.go_on.set()
    await held.woken()


async def test_a_job_that_waits_for_its_start_is_released_when_its_worker_has_to_stop() -> None:
    """Its function does not begin any more."""
    stubborn = Stubborn()
    held = Held(stubborn)
    held.in_flight.accept([timed(600)])
    await until(lambda: held.in_flight.lanes.running)
    held.in_flight.release_running()
    await held.woken()
    assert (held.reported(), stubborn.jobs) == ([("1", 1, Release())], [])


async def test_a_stranger_that_cancels_a_lane_before_a_start_loses_no_job() -> None:
    """Nobody has asked the job to stop: it is handed back."""
    held = Held(obedient)
    held.in_flight.accept([timed(600)])
    await until(lambda: held.in_flight.lanes.running)
    [attempt] = held.in_flight.lanes.running
    assert attempt.task is not None
    attempt.task.cancel()
    await held.woken()
    assert held.reported() == [("1", 1, Release())]
