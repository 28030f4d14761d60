"""Deadlines: each attempt is reported once, in its time, and one that does not end is reported once more."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, cast

import pytest

from flows.kernel.attempt import Attempt
from flows.kernel.current import CurrentJob
from flows.kernel.deadlines import Deadlines
from tests.kernel.parts import LONG, within

TIMEOUT = 0.04
GRACE = 0.2


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long for a test."""
    monkeypatch.setattr("flows.kernel.deadlines.GRACE", GRACE)


class Watch:
    """Deadlines that note what they reported of whom, and when; `noted` counts that."""

    def __init__(self, timeout: float | None = TIMEOUT) -> None:
        self.reported: list[tuple[str, Attempt, float]] = []
        self.noted = asyncio.Semaphore(0)
        self.deadlines = Deadlines(timeout, self.note("overdue"), self.note("overrun"))

    def note(self, what: str) -> Any:
        """Return what notes it."""

        def noting(attempt: Attempt) -> None:
            self.reported.append((what, attempt, time.monotonic()))
            self.noted.release()

        return noting

    def start(self, timeout: float | None = None) -> Attempt:
        """Start an attempt, with a timeout of its own or that of all."""
        attempt = Attempt(cast("Any", None), CurrentJob("1", "work", 1, 1, 0, None))
        self.deadlines.watch(attempt, timeout)
        return attempt

    @property
    def names(self) -> list[str]:
        """What was reported, in order."""
        return [what for what, _attempt, _when in self.reported]

    async def until(self, count: int) -> None:
        """Wait until so many more were reported."""
        for _ in range(count):
            await within(self.noted.acquire())


async def test_an_attempt_that_does_not_end() -> None:
    """An attempt is reported at its deadline and not before, and again a grace later; then nothing is watched."""
    watch = Watch()
    attempt = watch.start()
    assert attempt.current.deadline is not None
    await watch.until(2)
    [(_, first, overdue), (_, second, overrun)] = watch.reported
    assert watch.names == ["overdue", "overrun"]
    assert first is second is attempt
    assert overdue >= attempt.current.deadline
    assert overrun >= overdue + GRACE
    assert watch.deadlines._timer is None


async def test_attempts_that_end_in_time_are_not_reported() -> None:
    """One that ends before its deadline hears nothing; one that ends in its grace does not overrun."""
    watch = Watch()
    ended, reported, lasting = watch.start(), watch.start(), watch.start()
    watch.deadlines.forget(ended)
    await watch.until(2)
    watch.deadlines.forget(reported)
    await watch.until(1)
    assert [(what, attempt) for what, attempt, _when in watch.reported] == [
        ("overdue", reported),
        ("overdue", lasting),
        ("overrun", lasting),
    ]
    watch.deadlines.forget(reported)


async def test_one_timer_serves_all_in_order() -> None:
    """Attempts that begin one after another are each reported after its own deadline, within the same timer."""
    watch = Watch()
    many: list[Attempt] = []
    timers: set[object] = set()
    for _ in range(5):
        many.append(watch.start())
        timers.add(watch.deadlines._timer)
        time.sleep(TIMEOUT / 16)  # noqa: ASYNC251 - the loop must not come to look in between
    assert len(timers) == 1
    await watch.until(10)
    for name, grace in (("overdue", 0.0), ("overrun", GRACE)):
        reported = {attempt: when for what, attempt, when in watch.reported if what == name}
        assert list(reported) == many
        assert all(when >= (attempt.current.deadline or 0) + grace for attempt, when in reported.items())


async def test_attempts_with_timeouts_of_their_own() -> None:
    """Each is reported by its own, whichever began first; one without has that of all."""
    watch = Watch()
    long, short, common = (watch.start(timeout) for timeout in (TIMEOUT * 2, TIMEOUT / 2, None))
    await watch.until(3)
    assert [attempt for what, attempt, _when in watch.reported if what == "overdue"] == [short, common, long]
    for _what, attempt, when in watch.reported:
        assert when >= (attempt.current.deadline or 0)
        watch.deadlines.forget(attempt)


async def test_one_of_all_has_a_timeout() -> None:
    """Where the others may run as long as they like; one that ends in time is not reported."""
    watch = Watch(None)
    watch.start()
    own, ended = watch.start(TIMEOUT), watch.start(TIMEOUT)
    assert not watch.deadlines.has_hung(own)
    watch.deadlines.forget(ended)
    await watch.until(2)
    assert [attempt for _what, attempt, _when in watch.reported] == [own, own]


async def test_without_a_timeout_nothing_is_watched() -> None:
    """No deadline, no timer, and no lease that is let go."""
    watch = Watch(None)
    attempt = watch.start()
    assert attempt.current.deadline is None
    assert watch.deadlines._timer is None
    assert not watch.deadlines.has_hung(attempt)
    watch.deadlines.forget(attempt)
    watch.deadlines.close()


async def test_a_loop_that_was_blocked_leaves_them_their_grace() -> None:
    """After a pause that is longer than deadline and grace, an attempt still has its grace from its first report."""
    watch = Watch()
    watch.start()
    time.sleep(TIMEOUT + 2 * GRACE)  # noqa: ASYNC251 - this is what users do
    await watch.until(1)
    assert watch.names == ["overdue"]
    await watch.until(1)
    assert watch.reported[1][2] >= watch.reported[0][2] + GRACE


@pytest.mark.parametrize("reported", [False, True])
async def test_while_the_loop_is_blocked_leases_run_out(reported: bool) -> None:  # noqa: FBT001
    """Asked from a thread: kept until two graces after the timer was due, then no more, reported already or not."""
    watch = Watch()
    attempt = watch.start()
    due = attempt.current.deadline or 0.0
    if reported:
        await watch.until(1)
        due = watch.reported[0][2] + GRACE
    let_go = watch.deadlines.has_hung(attempt)
    assert not let_go or time.monotonic() >= due + 2 * GRACE
    answers: list[tuple[float, bool]] = []

    def ask() -> None:
        while not answers or not (answers[-1][1] or time.monotonic() > due + LONG):
            let_go = watch.deadlines.has_hung(attempt)  # asked first: on a busy machine the two are far apart
            answers.append((time.monotonic(), let_go))
            time.sleep(0.001)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert all(not let_go for when, let_go in answers if when < due + 2 * GRACE - 0.001)
    assert answers[-1][1] is True
    watch.deadlines.forget(attempt)
    assert not watch.deadlines.has_hung(attempt)


async def test_a_function_cannot_move_its_deadline() -> None:
    """`current_job().deadline` is to be read: whatever is written there, the timeout holds."""
    watch = Watch()
    watch.start().current.deadline = None
    watch.start().current.deadline = time.monotonic() + 1000
    await watch.until(4)
    assert watch.names == ["overdue"] * 2 + ["overrun"] * 2


async def test_closed() -> None:
    """No attempt is reported after that; closing twice is once."""
    watch, other = Watch(), Watch()
    watch.start()
    watch.deadlines.close()
    watch.deadlines.close()
    other.start()
    await other.until(2)  # which is later than this one would have been reported
    assert watch.reported == []
