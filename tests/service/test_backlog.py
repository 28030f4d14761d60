"""`skip_backlog`: what came while no process ran is not run; what is retried is, and a rolling restart skips none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from flows import DeclarationError
from flows.model.ids import created_at
from flows.service import Context
from tests.service.parts import make_service
from tests.waiting import LONG, until


def served(redis_url: str, namespace: str) -> tuple[Any, Any, list[str]]:
    """Return a service that skips its backlog, a type of it, and what it has run."""
    service = make_service(redis_url, namespace, skip_backlog=True, lease=2)
    ran: list[str] = []

    @service.on("note", timeout=60)
    async def note(name: str, _job: Context[None]) -> str:
        ran.append(name)
        return name

    return service, note, ran


def is_old(job_id: str) -> bool:
    """Return whether a job was created before this millisecond: what is of the same one is no backlog."""
    return datetime.now(UTC) > created_at(job_id) + timedelta(milliseconds=2)


async def test_the_backlog_ends_as_cancelled(redis_url: str, namespace: str) -> None:
    """Of each start after a pause; jobs that come from then on run, and a skipped one that is retried runs too."""
    service, note, ran = served(redis_url, namespace)
    for number in range(2):
        old = await note.create(f"old {number}")
        await until(partial(is_old, old))
        async with service:
            new = await note.create(f"new {number}")
            assert (await note.wait_for(new, LONG)).result == f"new {number}"
            skipped = await note.wait_for(old, LONG)
            assert (skipped.status, skipped.job.history[-1].reason) == ("cancelled", "backlog skipped")
            if number:
                await service.retry_job(old)
                assert (await note.wait_for(old, LONG)).result == "old 1"
    assert ran == ["new 0", "new 1", "old 1"]


async def test_a_process_that_starts_beside_others_skips_nothing(redis_url: str, namespace: str) -> None:
    """As in a rolling restart: what waits for the busy ones is no backlog."""
    first, note, ran = served(redis_url, namespace)
    second, _note, also = served(redis_url, namespace)

    async def works() -> bool:
        return any(queue.asked for one in await first._flow.processes() for queue in one.queues)

    async with first:
        await until(works)
        await first.queue.pause()
        waits = await note.create("waits")
        async with second:
            await first.queue.resume()
            assert (await note.wait_for(waits, LONG)).result == "waits"
    assert [*ran, *also] == ["waits"]


def test_it_is_said_by_a_flag(redis_url: str, namespace: str) -> None:
    """Another value is a slip."""
    with pytest.raises(DeclarationError, match="skip_backlog"):
        make_service(redis_url, namespace, skip_backlog="no")
