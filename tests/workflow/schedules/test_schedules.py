"""`workflows.schedules`: schedules are listed, made, paused, triggered, filled and deleted while workers run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from flows import Step, UnknownWorkflow, ValidationError, Workflows
from flows.model.schedules.cron import Cron
from flows.model.schedules.errors import UnknownSchedule
from flows.model.schedules.every import Every
from tests.waiting import until
from tests.workflow.parts import make_app, within


def define(app: Workflows) -> None:
    """Let the app have a workflow with a schedule that comes far too seldom for a test."""

    @app.define("report", max_concurrency=None, cron=Cron("0 0 1 1 *", overlap="allow"))
    async def report(step: Step) -> int:
        return await step.run("one", lambda: 1)


@pytest.fixture
async def app(redis_url: str, namespace: str) -> AsyncIterator[Workflows]:
    """Run an app in the test's namespace; its schedules are there when it has started."""
    app = make_app(redis_url, namespace)
    define(app)
    app.create_workers()
    async with app:
        yield app


async def test_slots_come_and_their_runs_are_worked_on(app: Workflows) -> None:
    """One that was made by hand fires at once; it says what it started last, and is deleted."""
    made = await app.schedules.create(Every(0.05, overlap="allow", missed="all"), "report", id="often")
    assert (made.id, made.workflow, made.app, made.interval) == ("often", "report", None, timedelta(seconds=0.05))
    await until(lambda: _last_run(app, "often"))
    run_id = await _last_run(app, "often")
    assert run_id is not None
    assert await within(app.handle(run_id).result()) == 1
    with pytest.raises(ValidationError, match="there is a schedule 'often' already"):
        await app.schedules.create(Every(1), "report", id="often")
    assert (await app.schedules.edit("often", Every(0.04, overlap="allow"))).interval == timedelta(seconds=0.04)
    with pytest.raises(ValidationError, match="edit it there"):
        await app.schedules.edit("report", Every(1))
    with pytest.raises(UnknownSchedule):
        await app.schedules.edit("none", Every(1))
    with pytest.raises(ValidationError, match="takes no input"):
        await app.schedules.create(Every(1), "report", 7, id="wrong")  # this app knows what it defines
    assert await app.schedules.delete("often")
    assert not await app.schedules.delete("often")
    assert [one.id for one in await app.schedules.list()] == ["report"]


async def _last_run(app: Workflows, schedule_id: str) -> str | None:
    return next((one.last_run for one in await app.schedules.list() if one.id == schedule_id), None)


async def test_pause_trigger_and_backfill(app: Workflows) -> None:
    """A paused schedule is triggered by hand all the same; each past slot runs once."""
    schedules = app.schedules
    assert await schedules.pause("report", "too early")
    assert not await schedules.resume("report") or (await schedules.list())[0].paused_at is None
    run_id = await schedules.trigger("report")
    assert await within(app.handle(run_id).result()) == 1
    triggered = await app.get_run(run_id)
    assert (triggered.schedule, triggered.slot, triggered.forked_from) == ("report", None, None)
    begin = datetime(2020, 6, 1, tzinfo=UTC)
    found = await schedules.backfill("report", begin, begin + timedelta(days=3 * 366))
    assert len(found) == 3
    records = [await app.get_run(one) for one in found]
    assert [one.schedule for one in records] == ["report"] * 3
    assert [one.slot for one in records] == [datetime(year, 1, 1, tzinfo=UTC) for year in (2021, 2022, 2023)]
    assert all(one.created_at.year > 2023 for one in records)
    assert await schedules.backfill("report", begin, begin + timedelta(days=4 * 366)) != []
    assert await schedules.backfill("report", begin, begin + timedelta(days=4 * 366)) == []


async def test_what_cannot_be_is_refused(app: Workflows) -> None:
    """Before anything is written, with what to do."""
    schedules, now = app.schedules, datetime.now(UTC)
    with pytest.raises(ValidationError, match="give a Cron"):
        await schedules.create("0 9 * * *", "report", id="a")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="create needs id="):
        await schedules.create(Every(60), "report")
    with pytest.raises(UnknownWorkflow):
        await schedules.create(Every(60), "nothing", id="a")
    with pytest.raises(ValidationError, match="declared by the code of app"):
        await schedules.delete("report")
    with pytest.raises(ValidationError, match="still to come"):
        await schedules.backfill("report", now, now + timedelta(days=1))
    with pytest.raises(ValidationError, match="naive"):
        await schedules.backfill("report", datetime(2020, 1, 1), now)  # noqa: DTZ001
    await schedules.create(Every(60), "report", id="minutes")
    with pytest.raises(ValidationError, match="over 10,000 slots"):
        await schedules.backfill("minutes", now - timedelta(days=365), now - timedelta(days=1))
    for call in (schedules.pause, schedules.resume, schedules.trigger):
        with pytest.raises(UnknownSchedule, match="there is no schedule 'nothing'"):
            await call("nothing")


async def test_a_deploy_script_records_schedules_without_a_worker(redis_url: str, namespace: str) -> None:
    """Whoever works on it comes later."""
    app = make_app(redis_url, namespace)
    define(app)
    await app.sync()
    [one] = await app.schedules.list()
    assert (one.id, one.cron, one.app) == ("report", "0 0 1 1 *", app.app)
    await app.stop()
