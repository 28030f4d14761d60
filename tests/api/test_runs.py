"""Runs and schedules of apps whose code is not here: listed, shown, started and steered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.api import Admin, Forbidden, JobQuery, bulk, operations, queues, runs, schedules
from flows.errors import JobGone, StateError, ValidationError
from flows.model.runs.errors import UnknownWorkflow
from flows.model.schedules.errors import UnknownSchedule
from tests.api.conftest import Left
from tests.api.press import leave_runs, press
from tests.api.shop import CANARY


async def test_lists_and_shows_runs(admin: Admin, left: Left) -> None:
    """By workflow, status, tag and lookup; with their steps, and what a suspended one waits for."""

    async def listed(**asked: object) -> list[str]:
        page = await operations()["runs.list"].call(admin, asked)
        return [one.id for one in page.runs]

    done, failed, asked = (left.ids[name] for name in ("run_done", "run_failed", "run_asked"))
    assert [one for one in await listed() if one in left.ids.values()] == [asked, failed, done, left.ids["run_mapped"]]
    assert await listed(workflow="print", status=["failed"]) == [failed]
    assert await listed(tag="first") == [done]
    assert await listed(lookup={"title": "two"}) == [failed]
    shown = await runs.show(admin, asked)
    assert (shown.status, shown.workflow, shown.output) == ("suspended", "ask", None)
    assert [(step.name, step.kind, step.status) for step in shown.steps] == [("good", "input", "waiting")]
    assert shown.steps[0].answer_schema is not None
    assert "waits without a worker for an answer" in (await runs.explain(admin, asked)).sentence
    ended = await runs.show(admin, done)
    assert (ended.output, ended.steps[0].result) == (f"one for {CANARY}", f"one for {CANARY}")
    assert (await runs.wait(admin, failed)).error is not None
    found = {one.workflow: one for one in await runs.workflows(admin)}
    assert (found["print"].failed, found["ask"].delayed) == (1, 1)
    assert found["print"].input_schema is not None
    [weekly] = await schedules.list_schedules(admin)
    assert (weekly.id, weekly.interval, weekly.app, weekly.input["title"]) == ("weekly", 18_000, "press", "weekly")
    assert len(weekly.upcoming) == 5
    assert weekly.upcoming[0] == weekly.next


async def test_shows_the_steps_of_a_run_and_the_runs_that_they_have_started(admin: Admin, left: Left) -> None:
    """With their tries and what they wait for; children in their order, in pages."""
    mapped = left.ids["run_mapped"]
    shown = await runs.show(admin, mapped)
    steps = {step.name: step for step in shown.steps}
    assert (steps["copies"].total, steps["copies"].ended, steps["copies"].kind) == (2, 2, "map")
    assert (steps["paid"].event, steps["paid"].key, steps["paid"].status) == ("paid", "zero", "waiting")
    assert (shown.steps_before, shown.past, shown.deadline) == (0, [], None)
    page = await runs.steps(admin, mapped, start=1, limit=1)
    assert ([step.name for step in page.steps], page.total) == (["paid"], 2)
    children = await runs.children(admin, mapped, "copies", start=1)
    assert [(one.index, one.status) for one in children.children] == [(1, "done")]
    assert (children.total, children.ended) == (2, 2)
    with pytest.raises(ValidationError, match="has started no runs"):
        await runs.children(admin, mapped, "paid")
    with pytest.raises(ValidationError, match="has no step"):
        await runs.children(admin, mapped, "nothing")
    [tried] = (await runs.show(admin, left.ids["run_failed"])).steps
    assert [(one.error_type, one.began) for one in tried.tried] == [("ValueError", tried.began)]


async def test_a_row_has_all_that_is_read_for_it(admin: Admin, left: Left) -> None:
    """For a list some fields of each run are read, and where something is hidden all of it: the rows are the same."""
    wary = admin.acting_as(admin.caller.model_copy(update={"hide": frozenset({"nothing"})}))
    rows = (await runs.list_runs(admin)).runs
    assert {row.status for row in rows} >= {"done", "failed", "suspended"}
    assert rows == (await runs.list_runs(wary)).runs
    asked, mapped, done = (left.ids[name] for name in ("run_asked", "run_mapped", "run_done"))
    awaits = {row.id: row.awaits for row in rows}
    assert (awaits[asked], awaits[mapped], awaits[done]) == ("answer", "event", None)


async def test_who_has_one_app_sees_its_runs_alone(left: Left) -> None:
    """`run:press` is enough for the runs of `press`, and for no job; another app's name for none of them."""
    failed = left.ids["run_failed"]
    async with left.admin(flows=["run:press"]) as mine, left.admin(flows=["run:other", "shop"]) as other:
        assert (await runs.show(mine, failed)).workflow == "print"
        with pytest.raises(Forbidden):
            await queues.show(mine, flow="shop")
        with pytest.raises(JobGone):
            await runs.show(other, failed)
        assert (await runs.list_runs(other)).runs == []
        assert await schedules.list_schedules(other) == []
        with pytest.raises(Forbidden, match="of none of this caller's apps"):
            await runs.start(other, "print", {"title": "x"})
        with pytest.raises(Forbidden):
            await schedules.pause(other, "weekly")


async def test_steers_runs(redis_url: str, namespace: str) -> None:
    """Started by name, retried, forked, answered, cancelled; workers of the app take up what was done to them."""
    left = Left(redis_url, namespace, await leave_runs(redis_url, namespace, CANARY))
    app, _print_book, _ask = press(redis_url, namespace)
    async with left.admin() as admin:
        assert (await runs.retry(admin, left.ids["run_failed"])).word == "retried"
        assert (await runs.send(admin, left.ids["run_mapped"], "paid", 5)).word == "goes on"
        with pytest.raises(StateError, match="over step 'paid'"):
            await runs.send(admin, left.ids["run_mapped"], "paid", 5)
        with pytest.raises(ValidationError, match="waits for no event"):
            await runs.send(admin, left.ids["run_asked"], "good", 5)
        with pytest.raises(StateError, match="is waiting"):
            await runs.retry(admin, left.ids["run_failed"])
        started = await runs.start(admin, "print", {"title": "four"}, tags=["new"], idempotency_key="4")
        assert (await runs.start(admin, "print", {"title": "four"}, idempotency_key="4")).id == started.id
        assert [one.id for one in (await runs.list_runs(admin, lookup={"title": "four"})).runs] == [started.id]
        with pytest.raises(UnknownWorkflow):
            await runs.start(admin, "prnt", {})
        forked = await runs.fork(admin, left.ids["run_done"])
        other = await runs.fork(admin, left.ids["run_done"], input={"title": "five"})
        assert [one.id for one in (await runs.list_runs(admin, lookup={"title": "five"})).runs] == [other.id]
        assert (await runs.provide(admin, left.ids["run_asked"], "good", {"good": True})).word == "goes on"
        app.create_workers(concurrency=2)
        async with app:
            assert (await runs.wait(admin, left.ids["run_asked"])).output == "True"
            assert (await runs.wait(admin, started.id)).output == "four for "
            assert (await runs.wait(admin, forked.id)).forked_from == left.ids["run_done"]
            assert (await runs.wait(admin, left.ids["run_failed"])).status == "failed"
        with pytest.raises(StateError, match="is over"):
            await runs.cancel(admin, started.id)
        query = JobQuery.parse("flow:run workflow:print state:failed")
        begun = await bulk.apply(admin, "retry", query, 1, undo=timedelta(0))
        assert (await bulk.wait(admin, begun.id)).words == {"retried": 1}
        assert (await runs.show(admin, left.ids["run_failed"])).status == "waiting"
        assert (await runs.cancel(admin, left.ids["run_failed"], reason="why")).word == "cancelled"
        left_ms = await admin.connection.call("PTTL", admin.keys.job("run", left.ids["run_failed"]))
        assert timedelta(days=29) < timedelta(milliseconds=left_ms) <= timedelta(days=30)


async def test_steers_schedules(redis_url: str, namespace: str) -> None:
    """Made, paused, triggered, filled and deleted; one of an app's code cannot be deleted from here."""
    left = Left(redis_url, namespace, await leave_runs(redis_url, namespace, CANARY))
    async with left.admin() as admin:
        await schedules.create(admin, "mine", "print", {"title": "x"}, every=timedelta(hours=1))
        with pytest.raises(ValidationError, match="already"):
            await schedules.create(admin, "mine", "print", every=timedelta(hours=1))
        with pytest.raises(ValidationError, match="give one of them"):
            await schedules.create(admin, "other", "print")
        with pytest.raises(ValidationError, match="has 2 fields"):
            await schedules.create(admin, "other", "print", cron="every day")
        assert (await schedules.pause(admin, "mine", note="why")).word == "paused"
        assert (await schedules.resume(admin, "mine")).word == "resumed"
        made = await schedules.trigger(admin, "mine")
        assert (await runs.show(admin, made.id)).schedule == "mine"
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        before = await schedules.slots(admin, "mine", end - timedelta(hours=2), end + timedelta(hours=1))
        assert (before.total, before.without_run, before.slots[-1].word) == (4, 3, "planned")
        filled = await schedules.backfill(admin, "mine", end - timedelta(hours=2), end)
        assert filled.count == len(filled.runs) == 3
        after = await schedules.slots(admin, "mine", end - timedelta(hours=2), end)
        assert [(one.word, one.run) for one in after.slots] == [("ran", run) for run in filled.runs]
        assert (after.without_run, after.slots[0].status, after.slots[0].late >= 7200) == (0, "waiting", True)
        assert (await schedules.edit(admin, "mine", {"title": "y"}, every=timedelta(minutes=1))).word == "edited"
        mine, weekly = await schedules.list_schedules(admin, slots=5)
        assert (mine.id, mine.interval, mine.input, mine.last_run) == ("mine", 60, {"title": "y"}, None)
        assert (len(weekly.upcoming), weekly.slots, weekly.moved) == (5, [], [])
        with pytest.raises(ValidationError, match="edit it there"):
            await schedules.edit(admin, "weekly", every=timedelta(hours=1))
        lanes = {one.id: one.marks for one in await schedules.day(admin, end, end + timedelta(days=1))}
        assert [mark.until is None for mark in lanes["weekly"]] == [True] * len(lanes["weekly"])
        assert {mark.word for mark in lanes["mine"] if mark.until} == {"planned"}
        assert (await schedules.delete(admin, "mine")).word == "deleted"
        with pytest.raises(UnknownSchedule):
            await schedules.delete(admin, "mine")
        with pytest.raises(ValidationError, match="declared by the code of app 'press'"):
            await schedules.delete(admin, "weekly")
