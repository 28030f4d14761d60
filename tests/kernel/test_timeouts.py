"""Timeouts through a whole flow: an attempt ends in time, whatever its function does, and its worker goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from flows import Retries, current_job
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, in_process, within
from tests.kernel.test_renewer import elsewhere
from tests.waiting import patient

GRACE = 0.1
TIMEOUT = timedelta(seconds=0.1)
AGAIN = Retries(2, timedelta(0))


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long for a test."""
    monkeypatch.setattr("flows.kernel.deadlines.GRACE", GRACE)
    monkeypatch.setattr("flows.kernel.in_flight.GRACE", GRACE)


async def test_a_coroutine_is_cancelled(make_flow: MakeFlow) -> None:
    """At its deadline and not before; the job fails with the type `Timeout`, and quick jobs are left in peace."""
    ended: list[tuple[float, float | None]] = []

    async def slow(job: Work) -> Answer:
        here = current_job()
        try:
            if job.number == 0:
                await within(asyncio.Event().wait())
        finally:
            ended.append((time.monotonic(), here.deadline))
            assert here.cancelled == (job.number == 0)
        return await double(job)

    flow = make_flow(slow, timeout=TIMEOUT)
    events = heard(flow)
    async with flow:
        begun = time.monotonic()
        quick, late, after = [await flow.create_job(Given(number=number)) for number in (1, 0, 1)]
        failed = await flow.wait_for(late, LONG)
        assert [(await flow.wait_for(job_id, LONG)).status for job_id in (quick, after)] == ["done", "done"]
    assert failed.error is not None
    assert (failed.status, failed.error.type, failed.error.attempt) == ("failed", "Timeout", 1)
    assert failed.error.message == "it ran longer than its timeout of 0.1 s"
    when, deadline = ended[1]
    assert deadline is not None
    assert begun < deadline <= when < begun + LONG / 2
    told = [event.fields["job_id"] for event in events if event.name == "job.timed_out"]
    assert told == [late]


async def test_a_timeout_is_tried_again(make_flow: MakeFlow) -> None:
    """As other errors are; the next attempt has its own deadline."""
    deadlines: list[float] = []

    async def slow_at_first(job: Work) -> Answer:
        deadlines.append(current_job().deadline or 0.0)
        if job.attempt == 1:
            await within(asyncio.Event().wait())
        return await double(job)

    async with make_flow(slow_at_first, timeout=TIMEOUT, retries=AGAIN) as flow:
        record = await flow.wait_for(await flow.create_job(Given(number=4)), LONG)
    message = "it ran longer than its timeout of 0.1 s"
    assert [(past.verb, past.error) for past in record.history] == [("retry", ("Timeout", message)), ("finish", None)]
    assert record.view(Answer).answer == 8
    assert deadlines[1] >= deadlines[0] + TIMEOUT.total_seconds()


async def test_what_is_returned_after_the_deadline_is_refused(make_flow: MakeFlow) -> None:
    """A function that hears of its end and returns a result, or raises something else, has timed out all the same."""

    async def late(job: Work) -> Answer:
        try:
            await within(asyncio.Event().wait())
        except asyncio.CancelledError:
            if job.number:
                raise ValueError("something else") from None
        return await double(job)

    async with make_flow(late, timeout=TIMEOUT, concurrency=2) as flow:
        for job_id in await flow.create_jobs([Given(number=0), Given(number=1)]):
            record = await flow.wait_for(job_id, LONG)
            assert record.error is not None
            assert (record.status, record.error.type) == ("failed", "Timeout")
            assert "answer" not in record._fields


async def test_a_coroutine_that_does_not_end_is_left_behind(make_flow: MakeFlow) -> None:
    """Its job goes on in another attempt; what it returns then is refused; its lane is taken until it returns."""
    go_on, second = asyncio.Event(), asyncio.Event()
    running = most = 0

    async def stubborn(job: Work) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        while job.number == 0 and job.attempt == 1 and not go_on.is_set():
            try:
                await within(go_on.wait())
            except asyncio.CancelledError:
                continue
        if job.attempt == 2:
            second.set()
        running -= 1
        return Answer(answer=job.attempt)

    flow = make_flow(stubborn, timeout=TIMEOUT, retries=AGAIN, concurrency=2)
    events = heard(flow)
    async with flow:
        job_id = await flow.create_job(Given(number=0))
        await within(second.wait())
        assert (await flow.wait_for(job_id, LONG)).view(Answer).answer == 2
        for other in await flow.create_jobs([Given(number=1)] * 5):
            assert (await flow.wait_for(other, LONG)).status == "done"
        assert most == 2
        go_on.set()
        for other in await flow.create_jobs([Given(number=1)] * 5):
            assert (await flow.wait_for(other, LONG)).status == "done"
        record = await flow.get_job(job_id)
    assert record is not None
    assert (record.view(Answer).answer, [past.verb for past in record.history]) == (2, ["retry", "finish"])
    about = [event.name for event in events if event.fields.get("job_id") == job_id]
    assert about == ["job.timed_out", "job.overruns", "job.retried", "job.done"]


async def test_a_worker_whose_only_lane_is_taken(make_flow: MakeFlow) -> None:
    """It takes no job until the function that did not end returns, and then goes on."""
    go_on = asyncio.Event()

    async def stubborn(job: Work) -> Answer:
        while job.number == 0 and not go_on.is_set():
            try:
                await within(go_on.wait())
            except asyncio.CancelledError:
                continue
        return await double(job)

    async with make_flow(stubborn, timeout=TIMEOUT, concurrency=1) as flow:
        overruns = asyncio.create_task(flow.events.wait_for("job.overruns"))
        job_id = await flow.create_job(Given(number=0))
        await within(overruns)
        assert (await flow.wait_for(job_id, LONG)).status == "failed"
        waiting = await flow.create_job(Given(number=1))
        with pytest.raises(TimeoutError):
            await flow.wait_for(waiting, 0.1)
        record = await flow.get_job(waiting)
        assert record is not None
        assert record.status == "waiting"
        go_on.set()
        assert (await flow.wait_for(waiting, LONG)).status == "done"


async def test_a_thread_runs_on(make_flow: MakeFlow) -> None:
    """Its worker goes on at once in another thread; the function is told, and what it returns is refused."""
    told: list[bool] = []
    go_on, ended = threading.Event(), threading.Event()

    def slow(job: Work) -> Answer:
        if job.number:
            return Answer(answer=job.number)
        here = current_job()
        go_on.wait(LONG)
        told.append(here.cancelled)
        ended.set()
        return Answer(answer=-1)

    async with make_flow(slow, timeout=10 * TIMEOUT, concurrency=1) as flow:
        late, other = await flow.create_jobs([Given(number=0), Given(number=1)])
        failed = await flow.wait_for(late, LONG)
        assert (await flow.wait_for(other, LONG)).view(Answer).answer == 1
        go_on.set()
        assert await asyncio.to_thread(ended.wait, LONG)
        assert (await flow.wait_for(await flow.create_job(Given(number=2)), LONG)).status == "done"
        record = await flow.get_job(late)
    assert failed.error is not None
    assert (failed.error.type, told) == ("Timeout", [True])
    assert record is not None
    assert "answer" not in record._fields


async def test_a_process_is_ended(make_flow: MakeFlow) -> None:
    """Its job has timed out, and the next runs in another process."""
    async with make_flow(in_process, executor="process", timeout=TIMEOUT, concurrency=1) as flow:
        failed = await flow.wait_for(await flow.create_job(Given(number=5)), LONG)
    assert failed.error is not None
    assert failed.error.type == "Timeout"


async def test_a_blocked_loop_lets_its_lease_go(make_flow: MakeFlow) -> None:
    """What blocks the loop beyond its deadline cannot be ended: another process rescues its job and does it.

    What the first one writes when it wakes is refused.
    """
    attempts: list[str] = []
    blocked, rescued = threading.Event(), threading.Event()

    async def blocking(_job: Work) -> Answer:
        attempts.append("blocking")
        blocked.set()
        rescued.wait(LONG)  # the loop stands still
        return Answer(answer=-1)

    async def helping(job: Work) -> Answer:
        attempts.append("helping")
        return await double(job)

    other, ids = make_flow(helping, lease=patient(0.4)), list[str]()

    async def help_out() -> None:
        blocked.wait(LONG)
        async with other:
            assert (await other.wait_for(ids[0], LONG)).view(Answer).answer == 2
        rescued.set()

    flow = make_flow(blocking, lease=patient(0.4), timeout=TIMEOUT)
    events = heard(flow)
    async with flow:
        with elsewhere(help_out):
            ids.append(await flow.create_job(Given(number=1)))
            lost = asyncio.create_task(flow.events.wait_for("job.lost", job_id=ids[0]))
            await within(lost)
        record = await flow.wait_for(ids[0], LONG)
    assert attempts == ["blocking", "helping"]
    assert (record.view(Answer).answer, [past.verb for past in record.history]) == (2, ["rescue", "finish"])
    assert not [event for event in events if event.name == "loop.hangs"]
