"""A program's own log lines: each can say for which job it was written."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from flows import CurrentJob, JobContextFilter, add_job_context
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
    handler.setFormatter(logging.Formatter("%(job_id)s|%(job_queue)s|%(job_attempt)s|%(correlation_id)s|%(message)s"))
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
            for job_id in await flow.create_jobs([Given(), Given()], correlation_id="c 7"):
                assert (await within(flow.wait_for(job_id, LONG))).status == "done"
    assert lines.pop(0) == "||||outside"
    assert len(lines) == 6
    for line in lines:
        job_id, queue, attempt, correlation_id, message = line.split("|")
        assert (message.split()[0], queue, attempt, correlation_id) == (job_id, "work", "1", "c 7")


def test_a_line_may_name_a_job_itself(lines: list[str]) -> None:
    """What a line says of its own stays."""
    log.warning("mine", extra={"job_id": "7", "job_queue": "q", "job_attempt": 2, "correlation_id": "c"})
    assert lines == ["7|q|2|c|mine"]


async def test_structlog_knows_the_job_too(make_flow: MakeFlow) -> None:
    """The processor adds what is known, and nothing outside of a job; what a line says of its own stays."""
    lines: list[dict[str, object]] = []

    def keep(_logger: object, _method: str, event_dict: MutableMapping[str, Any]) -> str:
        lines.append(dict(event_dict))
        raise structlog.DropEvent

    own = structlog.wrap_logger(None, processors=[add_job_context, keep])

    def thread(_job: Work) -> None:
        own.info("in a job")
        own.info("its own", job_id="7", correlation_id="c")

    own.info("outside")
    async with make_flow(thread) as flow:
        first = await flow.create_job(Given(), correlation_id="order 62")
        await within(flow.wait_for(first, LONG))
        second = await flow.create_job(Given())
        await within(flow.wait_for(second, LONG))
    where = {"job_queue": "work", "job_attempt": 1}
    assert lines == [
        {"event": "outside"},
        {"event": "in a job", "job_id": first, "correlation_id": "order 62", **where},
        {"event": "its own", "job_id": "7", "correlation_id": "c"},
        {"event": "in a job", "job_id": second, **where},
        {"event": "its own", "job_id": "7", "correlation_id": "c"},
    ]


async def test_a_correlation_id_that_was_edited_is_none() -> None:
    """Whatever stands in the field, a log line is written."""
    for raw in (None, b"", b"{", b"7", b"\xff", b"[1]"):
        assert CurrentJob("1", "work", 1, 1, 0, lambda *_report: None, raw).correlation_id is None
