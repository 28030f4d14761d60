"""What functions of a service tell while they run: levels, and lines that come too late."""

# ruff: noqa: PLE1205 - a log of updates formats no texts

from __future__ import annotations

import threading

import pytest

from flows import DeclarationError, JobGone, Retries, ValidationError
from flows.service import Context
from flows.service.levels import kept_levels
from tests.service.parts import make_service
from tests.waiting import LONG, until


async def test_updates_have_a_status_a_level_and_any_json(redis_url: str, namespace: str) -> None:
    """Only what is kept is written, in order; `level` leaves out what matters less."""
    service = make_service(redis_url, namespace, log_levels=["error", "info", "debug"])

    @service.on("note", timeout=10)
    def note(name: str, job: Context[None]) -> str:
        job.log.info("started", "looking for it")
        job.log.debug("looking", {"for": name})
        job.log.trace("never", {"not": {1, 2}})  # type: ignore[dict-item] # what is not kept is not even read
        job.log.error("broken", [1, None])
        with pytest.raises(ValidationError):
            job.log.info("")
        return name

    async with service:
        job_id = await note.create("x")
        await note.wait_for(job_id, LONG)
        lines = [(line.level, line.status, line.text, line.meta) for line in await service.updates(job_id)]
        assert lines == [
            ("info", "started", "looking for it", {}),
            ("debug", "looking", "", {"for": "x"}),
            ("error", "broken", "", {"value": [1, None]}),
        ]
        assert [line.status for line in await service.updates(job_id, "info")] == ["started", "broken"]
        assert [line.status for line in await service.updates(job_id, level="error")] == ["broken"]
        with pytest.raises(ValidationError, match="give one of error, info, debug, trace"):
            await service.updates(job_id, "warning")


async def test_a_line_after_the_timeout_is_late(redis_url: str, namespace: str) -> None:
    """A function in a thread that runs on after its timeout may still tell, until another attempt begins."""
    service = make_service(redis_url, namespace)
    timed_out, told = threading.Event(), threading.Event()

    @service.on("deaf", timeout=1, retries=Retries(max_attempts=1))
    def deaf(name: str, job: Context[None]) -> str:
        job.log.info("began")
        timed_out.wait(LONG)
        job.log.info("late", name)
        told.set()
        return name

    try:
        async with service:
            job_id = await deaf.create("x")
            record = await deaf.wait_for(job_id, LONG)
            assert (record.status, record.error and record.error.type) == ("failed", "Timeout")
            timed_out.set()

            async def both() -> bool:
                return len(await service.updates(job_id)) > 1

            await until(both)
            lines = [(line.status, line.late) for line in await service.updates(job_id)]
            assert lines[:2] == [("began", False), ("late", True)]

            async def returned() -> bool:
                return len(await service.updates(job_id)) > 2

            await until(returned)
            last = (await service.updates(job_id))[-1]
            assert (last.status, last.level, last.text, last.late) == ("returned", "info", '"x"', True)
            assert (await deaf.wait_for(job_id, LONG)).status == "failed"
    finally:
        timed_out.set()


def test_levels_come_from_the_environment(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our variable goes before that of OADA jobs; both add to what is kept anyhow, and a slip in one is told."""
    levels = kept_levels
    assert levels(None) == {"error", "info"}
    monkeypatch.setenv("OADA_JOBS_LOGGING", "debug")
    assert levels(None) == {"error", "info", "debug"}
    monkeypatch.setenv("FLOWS_JOB_LOGGING", "trace, error")
    assert levels(None) == {"error", "info", "trace"}
    assert levels([]) == frozenset()
    monkeypatch.setenv("FLOWS_JOB_LOGGING", "verbose")
    with pytest.raises(DeclarationError, match="FLOWS_JOB_LOGGING: there is no level 'verbose'"):
        make_service(redis_url, namespace)
    with pytest.raises(DeclarationError, match="no level 'debug,trace'"):
        make_service(redis_url, namespace, log_levels="debug,trace")


async def test_others_add_updates_too(redis_url: str, namespace: str) -> None:
    """From outside of the function, while it waits and when it has ended; not to a job that is gone."""
    service = make_service(redis_url, namespace, tenants="any")

    @service.on("note", timeout=10)
    async def note(name: str, job: Context[None]) -> str:
        job.log.info("runs")
        return name

    job_id = await note.create("x")
    await service.add_update(job_id, "invoiced", {"number": 7})
    async with service:
        await note.wait_for(job_id, LONG)
        await service.add_update(job_id, "checked", "by hand", level="debug")
        lines = [
            (line.status, line.level, line.text, line.meta, line.attempt) for line in await service.updates(job_id)
        ]
        assert lines == [
            ("invoiced", "info", "", {"number": 7}, 0),
            ("runs", "info", "", {}, 1),
            ("checked", "debug", "by hand", {}, 0),
        ]
        with pytest.raises(ValidationError, match="give one of"):
            await service.add_update(job_id, "x", level="warning")
        await service.delete_job(job_id)
        with pytest.raises(JobGone):
            await service.add_update(job_id, "x")
