"""Lets `current_job()` work in a unit test of a worker function, with no server, and keeps what it reports."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from flows.kernel.current import CurrentJob, reset_current, set_batch, set_current
from flows.model.ids import new_job_id
from flows.model.option_checks import check_number
from flows.store.jobs.log_line import LogLine, read_line

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from flows.store.streams.text_piece import Streamed


@dataclass(slots=True)
class RunningJob:
    """What `current_job()` is in the test, and what was reported to it.

    Attributes:
        current: Set `current.cancelled = True` to see what the function does when it shall end.
        progress: All progress that was reported, as (value, message).
        lines: All lines that were logged, as `flow.get_log` would return them.
        streamed: All texts that were streamed, one for each call of `current_job().stream`.
    """

    current: CurrentJob
    progress: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    lines: list[LogLine] = field(default_factory=list[LogLine])
    streamed: list[str] = field(default_factory=list[str])


@contextmanager
def running_job(
    job_id: str | None = None,
    *,
    queue: str = "test",
    attempt: int = 1,
    fence: int = 1,
    visit: int = 0,
    timeout: float | None = None,
    correlation_id: str | None = None,
    carried: Mapping[str, str] | None = None,
) -> Generator[RunningJob]:
    """Run what stands in the context as an attempt of a job.

    Args:
        job_id: A new id where it is None.
        queue: What `current_job().queue` is.
        attempt: Which attempt it is, from 1.
        fence: The fence of the attempt.
        visit: How many queues the job has left before.
        timeout: Seconds until `current_job().deadline`; None: there is no deadline.
        correlation_id: What `create_job(correlation_id=…)` was given.
        carried: What the job carries.
    """
    running = _running(job_id, queue, attempt, fence, visit, timeout, correlation_id, carried)
    token = set_current(running.current)
    try:
        yield running
    finally:
        reset_current(token)


@contextmanager
def running_run(run_id: str, workflow: str, attempt: int = 1) -> Generator[RunningJob]:
    """Run what stands in the context as an attempt at a run, in which steps alone may stream text."""
    with running_job(run_id, queue=workflow, attempt=attempt) as running:
        report = running.current._report  # pyright: ignore[reportPrivateUsage]

        def of_steps(current: CurrentJob, progress: bytes, line: str | None, streamed: Streamed | None = None) -> None:
            if streamed is not None:
                streamed.check_step()
            report(current, progress, line, streamed)

        running.current._report = of_steps  # pyright: ignore[reportPrivateUsage]
        yield running


@contextmanager
def running_jobs(count: int, *, queue: str = "test", timeout: float | None = None) -> Generator[list[RunningJob]]:
    """Run what stands in the context as a batch of so many jobs, for which `current_jobs()` has one each.

    Args:
        count: How many jobs, at least one.
        queue: What `queue` of each of them is.
        timeout: Seconds until their `deadline`; None: there is no deadline.

    Raises:
        DeclarationError: `count` is no positive whole number.
    """
    check_number("count", count)
    running = [_running(None, queue, 1, 1, 0, timeout, None, None) for _ in range(count)]
    undo = set_batch([one.current for one in running])
    try:
        yield running
    finally:
        undo()


def _running(  # noqa: PLR0917 - the facts of an attempt
    job_id: str | None,
    queue: str,
    attempt: int,
    fence: int,
    visit: int,
    timeout: float | None,
    correlation_id: str | None,
    carried: Mapping[str, str] | None,
) -> RunningJob:
    def report(_current: CurrentJob, progress: bytes, line: str | None, streamed: Streamed | None = None) -> None:
        if progress:
            told: Any = from_json(progress)
            running.progress.append((told["value"], told["message"]))
        if line is not None:
            where = {"n": len(running.lines) + 1, "at": int(time.time() * 1000)}
            running.lines.append(read_line(to_json({**from_json(line), **where})))
        if streamed is not None:
            running.streamed.append(streamed.text)

    current = CurrentJob(
        job_id or new_job_id(), queue, attempt, fence, visit, report, to_json(correlation_id), to_json(carried or {})
    )
    if timeout is not None:
        current.deadline = time.monotonic() + timeout
    running = RunningJob(current)
    return running
