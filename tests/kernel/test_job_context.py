"""A program's own log lines: each can say for which job it was written."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator

import pytest

from flows import JobContextFilter
from tests.kernel.parts import LONG, Given, MakeFlow, Work, within

log = logging.getLogger("mine")


class Kept(logging.Handler):
    """Keeps what it is given, as lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Keep the lines of the logger `mine`, each with its job."""
    handler = Kept()
    handler.addFilter(JobContextFilter())
    handler.setFormatter(logging.Formatter("%(job_id)s|%(job_queue)s|%(job_attempt)s|%(message)s"))
    log.addHandler(handler)
    log.propagate = False
    yield handler.lines
    log.removeHandler(handler)
    log.propagate = True


async def test_lines_carry_their_job(make_flow: MakeFlow, lines: list[str]) -> None:
    """In coroutines, beside each other, in tasks that they start, in threads; and outside of a job they carry none."""
    together = threading.Barrier(2)

    async def later(job: Work) -> None:
        await asyncio.sleep(0)
        log.warning("%s in a task", job.id)

    async def coroutine(job: Work) -> None:
        await asyncio.sleep(0)
        log.warning("%s", job.id)
        await asyncio.create_task(later(job))

    def thread(job: Work) -> None:
        together.wait(LONG)
        log.warning("%s", job.id)

    log.warning("outside")
    for function in (coroutine, thread):
        async with make_flow(function, concurrency=2) as flow:
            for job_id in await flow.create_jobs([Given(), Given()]):
                assert (await within(flow.wait_for(job_id, LONG))).status == "done"
    assert lines.pop(0) == "|||outside"
    assert len(lines) == 6
    for line in lines:
        job_id, queue, attempt, message = line.split("|")
        assert (message.split()[0], queue, attempt) == (job_id, "work", "1")


def test_a_line_may_name_a_job_itself(lines: list[str]) -> None:
    """What a line says of its own stays."""
    log.warning("mine", extra={"job_id": "7", "job_queue": "q", "job_attempt": 2})
    assert lines == ["7|q|2|mine"]
