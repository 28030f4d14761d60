"""`current_job()`: what a function can tell and ask about its own attempt."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows import CurrentJob, Flow, FlowsError, LogLine, LostLease, Retries, Retry, current_job
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, within


def test_outside_a_job() -> None:
    """Where no job runs, current_job() says what to do."""
    with pytest.raises(FlowsError, match="call current_job\\(\\) inside a worker function"):
        current_job()


async def test_progress_while_it_runs(make_flow: MakeFlow) -> None:
    """Progress is written while the function still runs, and the last one stays when the job is done."""
    told, go_on = asyncio.Event(), asyncio.Event()

    async def telling(job: Work) -> Answer:
        current_job().progress(0.25, "begun")
        current_job().progress(0.5, "half \udce9")
        current_job().log("first")
        current_job().log("caf\udce9 " + "x" * 10_000)
        told.set()
        await go_on.wait()
        current_job().progress(1)
        current_job().log("last", "warning", rows=500, path="/x")
        return await double(job)

    async with make_flow(telling) as flow:
        job_id = await flow.create_job(Given())
        await within(told.wait())
        for _ in range(200):
            record = await flow.get_job(job_id)
            if record is not None and record.progress is not None:
                break
        assert record is not None
        assert (record.status, record.progress) == ("processing", (0.5, "half ?"))
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).progress == (1.0, "")
        log = await flow.get_log(job_id)
    assert [(line.n, line.text[:6], line.level, line.cut) for line in log] == [
        (1, "first", "info", False), (2, "caf? x", "info", True), (3, "last", "warning", False)
    ]  # fmt: skip
    assert len(log[1].text) == 4096
    assert log[2].meta == {"rows": 500, "path": "/x"}
    assert [(line.attempt, line.late) for line in log] == [(1, False)] * 3
    assert log[0].at <= log[1].at <= log[2].at <= datetime.now(UTC) + timedelta(minutes=1)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), True, "0.5", None])
async def test_progress_is_a_share(make_flow: MakeFlow, value: Any) -> None:
    """Progress that is no number from 0 to 1 is the function's mistake and fails its job."""

    async def telling(_job: Work) -> None:
        current_job().progress(value)

    async with make_flow(telling) as flow:
        record = await flow.wait_for(await flow.create_job(Given()), LONG)
    assert record.error is not None
    assert record.error.type == "ValidationError"


async def test_a_log_is_bounded(make_flow: MakeFlow) -> None:
    """Of 3,000 lines, told from threads at once, the last 1,000 are kept."""

    def telling(_job: Work) -> None:
        me = current_job()
        threads = [threading.Thread(target=lambda: [me.log(str(n)) for n in range(1000)]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    flow = make_flow(telling)
    events = heard(flow)
    async with flow:
        job_id = await flow.create_job(Given())
        assert (await flow.wait_for(job_id, LONG)).status == "done"
        assert len(await flow.get_log(job_id)) == 1000
    assert {event.name for event in events}.isdisjoint({"worker.crashed", "store.unavailable"})


async def test_attempts_share_a_key_and_not_a_fence(make_flow: MakeFlow) -> None:
    """Attempts of one job in one queue have one idempotency key and rising fences; a retried job has another key."""
    seen: list[tuple[str, int, int, str]] = []
    begun = asyncio.Event()

    async def watched(job: Work) -> None:
        me = current_job()
        assert me.id == job.id
        seen.append((me.idempotency_key, me.fence, me.attempt, me.queue))
        if len(seen) == 1:
            begun.set()
            await asyncio.Event().wait()
        if len(seen) == 2:
            raise RuntimeError("once more")

    flow = make_flow(watched)
    await flow.start_all()
    job_id = await flow.create_job(Given())
    await within(begun.wait())
    await flow.stop_all(grace=0)
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).status == "failed"
        await flow.retry_job(job_id)
        assert (await flow.wait_for(job_id, LONG)).status == "done"
    keys, fences, attempts, queues = zip(*seen, strict=True)
    assert keys[0] == keys[1] != keys[2]
    assert list(fences) == sorted(set(fences))
    assert (attempts, set(queues)) == ((1, 1, 1), {"work"})


async def test_nothing_is_left_when_it_is_over(make_flow: MakeFlow) -> None:
    """A task that outlives its job's function still knows that job, and the lane's next job is not it."""
    kept: list[asyncio.Task[str]] = []

    async def later(go_on: asyncio.Event) -> str:
        await go_on.wait()
        return current_job().id

    go_on = asyncio.Event()

    async def leaving(_job: Work) -> None:
        kept.append(asyncio.create_task(later(go_on)))

    async with make_flow(leaving) as flow:
        ids = await flow.create_jobs([Given(), Given()])
        for job_id in ids:
            await flow.wait_for(job_id, LONG)
        go_on.set()
        assert sorted(await asyncio.gather(*kept)) == sorted(ids)


async def logged(flow: Flow[Work, Given], job_id: str, count: int) -> list[LogLine]:
    """Return the log of a job, once it has so many lines."""
    async with asyncio.timeout(LONG):
        while True:
            log = await flow.get_log(job_id)
            if len(log) >= count:
                return log


async def test_what_comes_after_the_end(make_flow: MakeFlow) -> None:
    """A line is kept and marked as late; progress raises LostLease; both are refused when the worker has stopped."""
    kept: list[CurrentJob] = []

    async def leaving(_job: Work) -> None:
        kept.append(current_job())
        current_job().log("in time")

    flow = make_flow(leaving)
    async with flow:
        job_id = await flow.create_job(Given())
        await flow.wait_for(job_id, LONG)
        kept[0].log("late")
        with pytest.raises(LostLease, match="has ended: its progress counts no more"):
            kept[0].progress(0.5)
        log = await logged(flow, job_id, 2)
        record = await flow.get_job(job_id)
    assert [(line.n, line.text, line.late) for line in log] == [(1, "in time", False), (2, "late", True)]
    assert record is not None
    assert record.progress is None
    for report in (lambda: kept[0].log("x"), lambda: kept[0].progress(0.5)):
        with pytest.raises(LostLease, match="this attempt has ended"):
            report()


async def test_lines_are_late_until_another_attempt_begins(make_flow: MakeFlow) -> None:
    """Then the store refuses them: that is told, and the next report of the earlier attempt raises LostLease."""
    kept: list[CurrentJob] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def twice(job: Work) -> None:
        kept.append(current_job())
        if job.attempt == 1:
            raise Retry("once more", after=1)  # time enough to write a line between the two
        begun.set()
        await go_on.wait()

    flow = make_flow(twice, retries=Retries(max_attempts=2))
    async with flow:
        unheard = asyncio.create_task(flow.events.wait_for("job.unheard"))
        retried = asyncio.create_task(flow.events.wait_for("job.retried"))
        await asyncio.sleep(0)
        job_id = await flow.create_job(Given())
        await within(retried)
        kept[0].log("between them")
        await within(begun.wait())
        kept[0].log("too late")
        event = await within(unheard)
        assert event.fields == {"queue": "work", "job_id": job_id, "count": 1, "word": "stale"}
        for report in (lambda: kept[0].log("x"), lambda: kept[0].progress(0.5)):
            with pytest.raises(LostLease):
                report()
        kept[1].log("mine")
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).status == "done"
        log = await flow.get_log(job_id)
    assert [(line.text, line.attempt, line.late) for line in log] == [("between them", 1, True), ("mine", 2, False)]


async def test_a_function_that_was_left_behind_may_still_log(make_flow: MakeFlow) -> None:
    """One in a thread that runs over its timeout: its lines are there, marked as late."""
    go_on = threading.Event()
    said: list[str] = []

    def slow(_job: Work) -> None:
        go_on.wait(LONG)
        current_job().log("still here")
        try:
            current_job().progress(1)
        except LostLease:
            said.append("LostLease")

    async with make_flow(slow, timeout=timedelta(milliseconds=50)) as flow:
        job_id = await flow.create_job(Given())
        assert (await flow.wait_for(job_id, LONG)).status == "failed"
        go_on.set()
        (line,) = await logged(flow, job_id, 1)
    assert (line.text, line.late, said) == ("still here", True, ["LostLease"])
