"""An attempt makes only the moves of its table, whatever happens to it and in whatever order.

Random sequences of all that can happen to the attempts of a worker: jobs come, functions return, raise, suspend or
refuse to stop, leases are lost, jobs are cancelled, turns report and fail, time runs out, the worker stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.kernel import deadlines as deadlines_module
from flows.kernel import in_flight as in_flight_module
from flows.kernel.attempt import Attempt
from flows.kernel.in_flight import InFlight
from flows.kernel.unable import Rest
from flows.model.attempt_state import ATTEMPT_MOVES, AttemptState
from flows.model.job import JobError
from flows.model.outcome import AwaitChildren, Fail, Finish, Outcome, Snooze
from flows.store.jobs.claimed import ClaimedJob
from flows.store.jobs.finished import FinishedAttempt
from flows.telemetry.events import Events
from tests.scale import scaled

A = AttemptState
NEVER = 1000.0
TIMED_OUT = Fail(JobError(type="Timeout", message=""))

#: What a function does: whether it suspends, whether it heeds that it is asked to stop, how it ends.
KINDS = ["quick", "waits", "stubborn", "parent", "nothing", "unpackable"]
STEPS = st.one_of(
    st.tuples(st.just("accept"), st.sampled_from(KINDS), st.integers(0, 3)),
    st.tuples(st.sampled_from(["cancel", "stale"]), st.integers(0, 3)),
    st.tuples(
        st.sampled_from(["tick", "go on", "take", "answer", "put back", "release ready", "release running", "strays"])
    ),
)


class Watched:
    """A worker's jobs in flight, each attempt's moves, and what a turn would have done."""

    def __init__(self, *, patient: bool, timed: bool) -> None:
        self.timeout = (0.0 if timed else None) if not patient else (NEVER if timed else None)
        self.fields: list[str] = []
        self.attempts: list[Attempt] = []
        self.moves: dict[Attempt, list[AttemptState]] = {}
        self.kinds: dict[tuple[str, int], str] = {}
        self.go_on = asyncio.Event()
        self.out: list[list[FinishedAttempt]] = []
        self.packed: Counter[ClaimedJob] = Counter()
        self.fences = count(1)
        events = Events(logging.getLogger("flows.test"))
        events.subscribe(lambda _event: None)
        arguments = (
            cast("Any", self),
            2,
            cast("Any", self),
            events,
            Rest("work", events),
            self.before_end,
            self.pack,
            lambda: None,
        )
        self.in_flight = InFlight("work", *arguments)

    def take(self, *_told: object) -> None:
        """Take what functions report."""

    def clock(self, watch: Callable[[Attempt], None]) -> Callable[[Attempt], None]:
        """Return what starts the timeout."""
        return watch

    def timed_out(self, _attempt: Attempt) -> Outcome:
        """Judge that it timed out."""
        return TIMED_OUT

    def pack(self, claimed: ClaimedJob, outcome: Outcome) -> FinishedAttempt:
        """Pack it, and count how often each attempt ends."""
        self.packed[claimed] += 1
        if self.kinds[claimed.id, claimed.fence] == "unpackable":
            raise RuntimeError("unforeseen")
        return FinishedAttempt(claimed, outcome, child=False)

    async def before_end(self, attempt: Attempt, outcome: AwaitChildren | Snooze) -> Outcome | None:
        """Create children, which takes a while; cancelled, it returns as what the attempt was asked to stop."""
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return attempt.stop_as
        return outcome

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run a function of its kind."""
        self.attempts.append(attempt)
        kind = self.kinds[attempt.claimed.id, attempt.claimed.fence]
        while kind in {"waits", "stubborn"} and not self.go_on.is_set():
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                if kind == "waits":
                    return attempt.stop_as
        if kind == "parent":
            return AwaitChildren([], None, {})
        return None if kind == "nothing" else Finish({})

    def do(self, step: tuple[Any, ...]) -> None:
        """Let one thing happen."""
        flight = self.in_flight
        match step:
            case ("accept", kind, number):
                fence = next(self.fences)
                self.kinds[str(number), fence] = kind
                flight.accept([ClaimedJob([str(number).encode(), fence, 1, 0, 0, 0, None])])
            case ("cancel" | "stale" as word, number):
                held = flight._held.get(str(number))
                flight.lease_answered(str(number), held.claimed.fence if held else 1, word)
            case ("go on",):
                self.go_on.set()
            case ("take",):
                self.out.append(flight.unreported.take())
            case ("answer",) if self.out:
                flight.reported(self.out.pop(0))
            case ("put back",) if self.out:
                flight.unreported.put_back(self.out.pop())
            case ("release ready",):
                flight.release_ready()
            case ("release running",):
                flight.release_running()
            case ("strays",):
                flight.lose_strays()
            case _:
                pass

    def check(self) -> None:
        """Each attempt is where its state says, and ends at most once."""
        flight = self.in_flight
        ready, running = set(flight.lanes.ready), set(flight.lanes.running)
        assert {attempt.state for attempt in ready} <= {A.READY}
        assert {attempt.state for attempt in running} <= {A.RUNNING, A.STOPPING, A.LOST, A.ABANDONED}
        for attempt in flight._held.values():
            assert attempt.state not in {A.LOST, A.REPORTED}
            assert (attempt in ready) == (attempt.state is A.READY)
            # What was abandoned is held until it is reported, whether its function has returned meanwhile or not.
            assert attempt.state is A.ABANDONED or (attempt in running) == (attempt.state in {A.RUNNING, A.STOPPING})
        for attempt in self.attempts:
            # One that was abandoned may still log, unless its lease was lost before.
            assert attempt.current.lost or attempt.state is not A.LOST
            assert not attempt.current.lost or attempt.state in {A.LOST, A.ABANDONED}
        assert flight.left_behind == sum(attempt.state is A.ABANDONED for attempt in running)
        assert all(times == 1 for times in self.packed.values())


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[tuple[AttemptState, AttemptState]]:
    """Note each move that any attempt makes."""
    noted: list[tuple[AttemptState, AttemptState]] = []
    move = Attempt.move

    def noting(attempt: Attempt, to: AttemptState) -> None:
        before = attempt.state
        move(attempt, to)
        noted.append((before, to))

    monkeypatch.setattr(Attempt, "move", noting)
    return noted


async def scenario(steps: list[tuple[Any, ...]], *, patient: bool, timed: bool) -> None:
    """Let all of it happen, then end the worker as a stop does."""
    watched = Watched(patient=patient, timed=timed)
    try:
        for step in steps:
            watched.do(step)
            watched.check()
            for _ in range(4 if step == ("tick",) else 1):
                await asyncio.sleep(0)
            watched.check()
        watched.in_flight.release_ready()
        watched.in_flight.release_running()
        watched.check()
    finally:
        watched.go_on.set()  # else a function that heeds nothing keeps the loop
    while watched.in_flight.busy:  # noqa: ASYNC110 - each tick is a step of its own
        await asyncio.sleep(0)
    while finished := watched.in_flight.unreported.take():
        watched.out.append(finished)
    for finished in watched.out:
        watched.in_flight.reported(finished)
    for _ in range(10):  # what was abandoned may return
        await asyncio.sleep(0)
    watched.check()
    assert not watched.in_flight.unreported
    assert all(attempt.state in {A.REPORTED, A.LOST, A.ABANDONED} for attempt in watched.attempts)
    await watched.in_flight.close()


@pytest.mark.scale
@pytest.mark.parametrize("patient", [True, False], ids=["in time", "not in time"])
@pytest.mark.parametrize("timed", [True, False], ids=["a timeout", "no timeout"])
def test_only_the_moves_of_the_table(
    moves: list[tuple[AttemptState, AttemptState]],
    monkeypatch: pytest.MonkeyPatch,
    patient: bool,  # noqa: FBT001
    timed: bool,  # noqa: FBT001
) -> None:
    """In every order of events: each job is held, ends once, and is reported, lost or abandoned in the end."""
    for module in (deadlines_module, in_flight_module):
        monkeypatch.setattr(module, "GRACE", NEVER if patient else 0.0)

    @example([("accept", "quick", 0), ("tick",), ("take",), ("answer",)])
    @example([("accept", "waits", 0), ("tick",), ("release running",), ("tick",)])
    @example([("accept", "stubborn", 0), ("tick",), ("release running",), ("tick",), ("tick",)])
    @given(st.lists(STEPS, max_size=40))
    @settings(max_examples=scaled(80, full=1_000))
    def any_order(steps: list[tuple[Any, ...]]) -> None:
        asyncio.run(scenario(steps, patient=patient, timed=timed))

    any_order()
    assert {to for _before, to in moves} <= set(A)
    wanted = {(A.READY, A.RUNNING), (A.RUNNING, A.STOPPING), (A.STOPPING, A.ENDED), (A.ENDED, A.REPORTED)}
    assert wanted <= set(moves)
    assert all(to in ATTEMPT_MOVES[before] for before, to in moves)
    if not patient:
        assert (A.STOPPING, A.ABANDONED) in moves


def test_a_move_that_is_not_in_the_table_is_a_fault() -> None:
    """It raises, and the attempt stays where it is."""
    for before in A:
        for to in set(A) - ATTEMPT_MOVES[before]:
            attempt = Attempt(cast("Any", None), cast("Any", None))
            attempt.state = before
            with pytest.raises(RuntimeError, match=f"from {before} to {to}"):
                attempt.move(to)
            assert attempt.state is before
