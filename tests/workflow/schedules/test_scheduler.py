"""The scheduler: any number of processes fire each slot once, and one schedule that fails keeps no other waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from flows.model.runs.new_run import RUN_FLOW, NewRun
from flows.model.runs.schedule_definition import ScheduleDefinition
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.store.client.connection import Connection
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.schedules.firing import Firing
from flows.store.schedules.recorded import RecordedSchedules
from flows.telemetry.events import Event, Events
from flows.workflow.schedules.scheduler import Scheduler
from tests.waiting import until
from tests.world import World

DAY_MS = 86_400_000


def schedule(schedule_id: str, times: Cron | Every) -> ScheduleDefinition:
    """Return a schedule of the workflow `report`."""
    return ScheduleDefinition(schedule_id, times, NewRun("", "report", "report", b"null"))


class Process:
    """What a process has of schedules."""

    def __init__(self, url: str, settings: FlowSettings) -> None:
        """Connect with the first call."""
        self.connection = Connection(url, "test")
        self.recorded = RecordedSchedules(self.connection, settings)
        self.events = Events(logging.getLogger("flows.test"))
        self.heard: list[Event] = []
        self.events.subscribe(self.heard.append)
        self.cancelled: list[str] = []
        self.refreshes = 0
        firing = Firing(self.connection, settings)
        self.scheduler = Scheduler(firing, self._cancel_children, self._refresh, 0, self.events)

    async def _cancel_children(self, run_id: str) -> None:
        self.cancelled.append(run_id)

    async def _refresh(self) -> None:
        self.refreshes += 1

    def told(self, name: str) -> list[dict[str, object]]:
        """Return the fields of the events of one name."""
        return [event.fields for event in self.heard if event.name == name]


@pytest.fixture
def settings(world: World) -> FlowSettings:
    """Return the settings of the flow of runs."""
    return replace(world.settings, flow=RUN_FLOW, first_queue="flows.runs")


@asynccontextmanager
async def processes(url: str, settings: FlowSettings, count: int) -> AsyncIterator[list[Process]]:
    """Have some."""
    started = [Process(url, settings) for _ in range(count)]
    try:
        yield started
    finally:
        for one in started:
            await one.scheduler.stop()
            await one.connection.close()


def slots(redis: Redis, settings: FlowSettings, queue: str = "report") -> list[int]:
    """Return the slots of the runs that wait, in their order."""
    ids: Any = redis.lrange(settings.keys.waiting(queue), 0, -1)
    return [int(str(redis.hget(settings.keys.job(RUN_FLOW, one), "_schedule")).split(" ")[0]) for one in ids]


async def test_each_slot_is_fired_once_by_many(redis_url: str, redis: Redis, settings: FlowSettings) -> None:
    """Three processes, a slot each 10 ms, and none is left out however late they come to it."""
    async with processes(redis_url, settings, 3) as several:
        often = schedule("often", Every(0.01, overlap="allow", missed="all"))
        await several[0].recorded.write("shop", [often])
        for one in several:
            one.scheduler.start()
        await until(lambda: len(slots(redis, settings)) > 60)
        found = slots(redis, settings)
    assert found == list(range(found[0], found[-1] + 1, 10))
    told = [fields["slot"] for one in several for fields in one.told("schedule.fired")]
    assert sorted(set(told)) == sorted(told)
    assert all(one.refreshes for one in several)


async def test_what_was_missed_is_made_up_for_in_parts(redis_url: str, redis: Redis, settings: FlowSettings) -> None:
    """A thousand slots by `all`, one by `last`, none by `skip`, after two days without a process."""
    async with processes(redis_url, settings, 1) as [process]:
        kinds = {name: Every(60, overlap="allow", missed=name) for name in ("all", "last", "skip")}
        for name, times in kinds.items():
            one = schedule(name, times)
            await process.recorded.write("", [replace(one, run=replace(one.run, queue=name))])
        now = await process.recorded.server_ms()
        first = (now - 2 * DAY_MS) // 60_000 * 60_000
        redis.zadd(process.recorded.keys.schedules(), dict.fromkeys(kinds, first))
        await process.scheduler.tick()
        newest = now // 60_000 * 60_000
        assert slots(redis, settings, "all")[-1000:] == list(range(newest - 999 * 60_000, newest + 1, 60_000))
        assert slots(redis, settings, "last") == [newest]
        assert set(slots(redis, settings, "skip")) <= {newest}
        assert all(one.next_at and one.next_at.timestamp() * 1000 > newest for one in await process.recorded.list())


async def test_one_that_cannot_be_used_keeps_no_other_waiting(
    redis_url: str, redis: Redis, settings: FlowSettings
) -> None:
    """It is told once, until somebody edits it; it stays due for a process that can use it."""
    async with processes(redis_url, settings, 1) as [process]:
        recorded = process.recorded
        await recorded.write("", [schedule("a", Cron("* * * * *")), schedule("b", Every(60))])
        redis.zadd(recorded.keys.schedules(), {"a": 1, "b": 60_000})
        redis.hset(recorded.keys.schedule("a"), "when", '{"cron":"* * * * *","timezone":"Europe/Atlantis"}')
        assert await process.scheduler.tick() <= 1
        await process.scheduler.tick()
        assert len(slots(redis, settings)) == 1
        [told] = process.told("schedule.unusable")
        assert told["schedule"] == "a"
        assert "Europe/Atlantis" in str(told["error"])
        assert redis.zscore(recorded.keys.schedules(), "a") == 1
        redis.hset(recorded.keys.schedule("a"), mapping={"digest": "edited", "when": '{"moon":"full"}'})
        await process.scheduler.tick()
        assert len(process.told("schedule.unusable")) == 2


async def test_a_slot_that_is_skipped_is_told(redis_url: str, redis: Redis, settings: FlowSettings) -> None:
    """With the run that keeps it from running."""
    async with processes(redis_url, settings, 1) as [process]:
        await process.recorded.write("", [schedule("a", Every(60))])
        for _ in range(2):
            redis.zadd(process.recorded.keys.schedules(), {"a": 60_000})
            redis.delete(process.recorded.keys.fired("a"))
            await process.scheduler.tick()
        [fired], [skipped] = process.told("schedule.fired"), process.told("schedule.skipped")
        assert (skipped["job_id"], skipped["reason"]) == (fired["job_id"], "open")


async def test_children_of_a_run_that_makes_room_are_cancelled(
    redis_url: str, redis: Redis, settings: FlowSettings
) -> None:
    """Those that it waits for, by whoever fired the slot."""
    async with processes(redis_url, settings, 1) as [process]:
        await process.recorded.write("", [schedule("a", Every(60, overlap="cancel_running"))])
        for _ in range(2):
            redis.zadd(process.recorded.keys.schedules(), {"a": 60_000})
            redis.delete(process.recorded.keys.fired("a"))
            await process.scheduler.tick()
            last = process.told("schedule.fired")[-1]["job_id"]
            redis.hset(settings.keys.job(RUN_FLOW, str(last)), "_open", "map")
        first, _second = (fields["job_id"] for fields in process.told("schedule.fired"))
        assert process.cancelled == [first]


async def test_an_outage_is_waited_out(redis_url: str, redis: Redis, settings: FlowSettings) -> None:
    """What goes wrong in one tick is told, and the next one does what it did not."""
    async with processes(redis_url, settings, 1) as [process]:
        await process.recorded.write("", [schedule("a", Every(60))])
        redis.rename(process.recorded.keys.schedules(), f"{settings.keys.namespace}elsewhere")
        redis.set(process.recorded.keys.schedules(), "not ours")
        process.scheduler.start()
        await until(lambda: process.heard)
        redis.delete(process.recorded.keys.schedules())
        redis.zadd(process.recorded.keys.schedules(), {"a": 60_000})
        await until(lambda: slots(redis, settings))
        await asyncio.sleep(0)
