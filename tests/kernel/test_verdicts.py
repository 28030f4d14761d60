"""How attempts end by what their functions say, through a whole flow: in coroutines, threads and processes alike."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from redis import Redis

from flows import Fail, JobRecord, Retries, Retry, Snooze, Verdict, current_job
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, within
from tests.kernel.sayings import OF_EACH, RAISED, TIMEOUT, say, say_in_the_loop
from tests.outcomes import VERDICTS, outcome_of

HOUR = timedelta(hours=1)

Ending: TypeAlias = tuple[str, list[tuple[int, str, tuple[str, str] | None, str]]]


def ending_by(verdict: Verdict) -> Ending:
    """Return how a job ends whose first attempt ends by this verdict, and any later one well, by the table."""
    kind, row = outcome_of(verdict)
    error = (type(verdict).__name__, verdict.reason) if "error" in kind.__dataclass_fields__ else None
    first = (1, row.verb, error, "" if error else verdict.reason)
    if not row.again:
        return str(row.state), [first]
    return "done", [first, (1 if row.gives_back else 2, "finish", None, "")]


#: By what a job's number says (see `say`): its state, and each of its attempts with its verb, error and reason.
ENDINGS: dict[int, Ending] = {
    2: ("done", [(1, "snooze", None, "soon"), (1, "finish", None, "")]),
    5: ("done", [(1, "retry", ("ConnectionRefusedError", "refused"), ""), (2, "finish", None, "")]),
    6: ("failed", [(1, "fail", ("ConnectionResetError", "reset"), "")]),
    7: ("failed", [(1, "fail", ("ValueError", "no connection"), "")]),
    8: (
        "failed",
        [
            *([(1, "snooze", None, "again")] * 3),
            (1, "retry", ("ConnectionRefusedError", "refused"), ""),
            (2, "fail", ("ConnectionRefusedError", "refused"), ""),
        ],
    ),
    9: ("failed", [(1, "retry", ("Retry", "never ready"), ""), (2, "fail", ("Retry", "never ready"), "")]),
    10: ("done", [(1, "finish", None, "")]),
} | {OF_EACH + number: ending_by(verdict) for number, verdict in enumerate(VERDICTS.values())}


def told(record: JobRecord[Given]) -> Ending:
    """Return how a job ended, as ENDINGS has it."""
    return record.status, [(past.attempt, past.verb, past.error, past.reason) for past in record.history]


@pytest.mark.parametrize(
    ("function", "executor"),
    [(say_in_the_loop, None), (say, None), (say, "process")],
    ids=["loop", "thread", "process"],
)
async def test_each_verdict_and_error(make_flow: MakeFlow, function: Callable[..., Any], executor: Any) -> None:
    """Returned and raised, each ends the attempt as it says; errors are tried again by retry_on and give_up_on.

    A snooze uses up no attempt, and max_attempts holds.
    """
    retries = Retries(2, timedelta(0), retry_on=(ConnectionError,), give_up_on=(ConnectionResetError,))
    begun = datetime.now(UTC) - timedelta(seconds=1)
    flow = make_flow(function, executor=executor, concurrency=1 if executor else 2, retries=retries, timeout=TIMEOUT)
    async with flow:
        numbers = [number + raised for number in ENDINGS for raised in (0, RAISED)]
        ids = await flow.create_jobs(Given(number=number) for number in numbers)
        records = dict(zip(numbers, [await flow.wait_for(job_id, LONG) for job_id in ids], strict=True))
    assert {n: told(record) for n, record in records.items()} == {n: ENDINGS[n % RAISED] for n in numbers}
    for record in records.values():
        for past in record.history:
            assert past.worker.split(".")[-2] == str(os.getpid())
            assert past.worker == record.worker
            assert past.queue == "work"
            assert begun < past.ended_at < datetime.now(UTC) + timedelta(seconds=1)
    assert records[5].view(Answer).answer == 2
    assert records[10].view(Answer).answer == 1, "its deadline is not within its timeout"
    assert records[9].error is not None
    assert (records[9].error.attempt, records[9].error.message) == (2, "never ready")
    for number in (6, 7, *range(OF_EACH, OF_EACH + len(VERDICTS))):
        raised = records[number + RAISED]
        assert raised.error is None or "in say" in raised.error.traceback


@pytest.mark.parametrize("way", ["retry", "snooze", "error"])
async def test_no_worker_sleeps_a_delay(make_flow: MakeFlow, redis: Redis, namespace: str, way: str) -> None:
    """A job that comes back in an hour is delayed in the store, and the one lane of its worker goes on with others."""

    async def putting_off(job: Work) -> Answer | Retry | Snooze:
        if job.number:
            return await double(job)
        if way == "error":
            raise OSError("down")
        return Retry("busy", after=HOUR) if way == "retry" else Snooze("later", after=HOUR)

    async with make_flow(
        putting_off, concurrency=1, retries=Retries(backoff=HOUR, max_delay=HOUR, jitter=False)
    ) as flow:
        late = await flow.create_job(Given(number=0))
        for job_id in await flow.create_jobs([Given(number=1)] * 3):
            assert (await flow.wait_for(job_id, LONG)).status == "done"
        record = await flow.get_job(late)
        due = redis.zscore(f"{namespace}queue:work:delayed", late)
    assert record is not None
    assert (record.status, record.attempts) == ("delayed", 0 if way == "snooze" else 1)
    assert [past.verb for past in record.history] == ["snooze" if way == "snooze" else "retry"]
    assert due is not None
    in_seconds = due / 1000 - datetime.now(UTC).timestamp()
    assert HOUR.total_seconds() - LONG < in_seconds <= HOUR.total_seconds()


async def test_the_same_job_in_each_attempt(make_flow: MakeFlow) -> None:
    """Attempts count from 1, fences rise, the idempotency key stays; the job fails with the error of the last."""
    seen: list[tuple[int, int, str]] = []

    async def failing(job: Work) -> None:
        here = current_job()
        seen.append((job.attempt, here.fence, here.idempotency_key))
        raise OSError(f"attempt {job.attempt}")

    async with make_flow(failing, retries=Retries(3, timedelta(0))) as flow:
        record = await flow.wait_for(await flow.create_job(Given()), LONG)
    attempts, fences, keys = zip(*seen, strict=True)
    assert (attempts, len(set(keys))) == ((1, 2, 3), 1)
    assert list(fences) == sorted(set(fences))
    assert record.error is not None
    assert (record.status, record.attempts, record.error.message) == ("failed", 3, "attempt 3")


@pytest.mark.parametrize(("retries", "attempts"), [(None, 5), (Retries(3, HOUR, max_delay=HOUR, jitter=False), 3)])
async def test_retries_that_are_asked_for(make_flow: MakeFlow, retries: Retries | None, attempts: int) -> None:
    """`after` wins over a backoff of an hour, and max_attempts holds: the usual five where none are declared."""

    async def asking(_job: Work) -> Retry:
        return Retry("busy", after=timedelta(0))

    async with make_flow(asking, retries=retries) as flow:
        record = await flow.wait_for(await flow.create_job(Given()), LONG)
    assert [past.verb for past in record.history] == ["retry"] * (attempts - 1) + ["fail"]


async def test_attempts_whose_worker_died_do_not_count(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A job that was rescued twice before still has all its attempts."""

    async def failing(_job: Work) -> None:
        raise OSError("down")

    flow = make_flow(failing, retries=Retries(2, timedelta(0)))
    job_id = await flow.create_job(Given())
    redis.hset(f"{namespace}job:numbers:{job_id}", mapping={"_attempt": "2 w 2 0 2 0 -"})
    async with flow:
        record = await flow.wait_for(job_id, LONG)
    assert [(past.attempt, past.verb) for past in record.history] == [(3, "retry"), (4, "fail")]


async def test_the_store_says_when_a_snooze_is_over(make_flow: MakeFlow) -> None:
    """`until` is held against the server's clock: a time in the past is now, and one in the future is not before."""
    until = datetime.now(UTC) + timedelta(seconds=1.5)
    came: list[datetime] = []

    async def waiting(job: Work) -> Answer | Snooze:
        came.append(datetime.now(UTC))
        if current_job().fence == 1:
            return Snooze("later", until=until if job.number else datetime(1999, 12, 31, tzinfo=UTC))
        return await double(job)

    async with make_flow(waiting) as flow:
        past, future = [await flow.create_job(Given(number=number)) for number in (0, 1)]
        assert (await flow.wait_for(past, LONG)).history[0].ended_at < until
        assert (await flow.wait_for(future, LONG)).history[1].ended_at >= until - timedelta(milliseconds=1)
    assert came[-1] >= until


async def test_a_job_that_was_cancelled_while_it_waited_had_no_attempt_to_end(make_flow: MakeFlow) -> None:
    """Its history ends with the retry or the snooze, and that of a job that was cancelled in a later attempt by it."""
    begun = asyncio.Event()

    async def putting_off(job: Work) -> Retry | Snooze:
        if current_job().fence > 1:
            begun.set()
            await asyncio.Event().wait()
        delay = HOUR if job.number < 2 else timedelta(0)
        return Retry("busy", after=delay) if job.number % 2 else Snooze("later", after=delay)

    async with make_flow(putting_off) as flow:
        for number, verbs in (
            (0, ["snooze"]),
            (1, ["retry"]),
            (2, ["snooze", "cancel"]),
            (3, ["retry", "cancel"]),
        ):
            begun.clear()
            recorded = asyncio.create_task(flow.events.wait_for("job.recorded"))
            job_id = await flow.create_job(Given(number=number))
            await within(recorded)
            if number >= 2:
                await within(begun.wait())
            await flow.cancel_job(job_id, "unwanted")
            record = await flow.wait_for(job_id, LONG)
            assert (record.status, [past.verb for past in record.history]) == ("cancelled", verbs)


async def test_a_long_history(make_flow: MakeFlow) -> None:
    """Of 25 snoozes the last 20 are told, each with its reason, and how the job ended."""

    async def snoozing(_job: Work) -> Snooze | Fail:
        fence = current_job().fence
        return Snooze(str(fence), after=timedelta(0)) if fence <= 25 else Fail("enough")

    async with make_flow(snoozing) as flow:
        record = await flow.wait_for(await flow.create_job(Given()), LONG)
    assert [past.reason for past in record.history] == [*map(str, range(6, 26)), ""]
    assert record.history[-1].error == ("Fail", "enough")
