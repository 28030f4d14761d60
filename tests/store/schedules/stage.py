"""Schedules below one namespace, at a time that the test owns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from redis import Redis

from flows.model.runs.new_run import RUN_FLOW, NewRun
from flows.model.runs.schedule_definition import ScheduleDefinition
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.store.client.scripts import Argument, Script
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.schedules.firing import Fired, Firing
from flows.store.schedules.recorded import RecordedSchedules
from tests.answer_shapes import mismatch
from tests.world import NOW, World

T = TypeVar("T")

#: The schedules of these tests have a slot each ten seconds, the first one at the time of the first call.
STEP = 10_000
EVERY = Every(STEP / 1000)


class Timed:
    """A connection whose scripts are told the time."""

    def __init__(self, url: str) -> None:
        """Read what the server answers as it is, as the real one does."""
        self.client = Redis.from_url(url, protocol=2)
        self.client.response_callbacks.clear()
        self.now = NOW
        #: Whether each call is sent twice, as where the answer was lost.
        self.twice = False

    async def run(self, script: Script, named: dict[str, Any], rest: Sequence[Argument] = ()) -> Any:
        """Run a script, and hold its answer against its header."""
        command = script.in_full(script.command({**named, "now": self.now}, rest))
        answer = self.client.execute_command(*command)
        assert mismatch(script.returns, script.words, answer) == "", script.name
        if self.twice:
            again = self.client.execute_command(*command)
            # The others say what they find then: that the slot has passed, and that what was stale is gone.
            assert again == answer or "call" not in script.keys, script.name
        return answer

    async def call(self, *command: Argument) -> Any:
        """Send a command."""
        return self.client.execute_command(*command)

    async def together(self, commands: list[tuple[Argument, ...]]) -> list[Any]:
        """Send several."""
        return [self.client.execute_command(*command) for command in commands]


class Stage:
    """What the tests of schedules act on."""

    def __init__(self, world: World, url: str) -> None:
        """Use the namespace of a test."""
        self.redis = world.redis
        self.world = World(world.redis, world.namespace)
        self.settings: FlowSettings = replace(world.settings, flow=RUN_FLOW, first_queue="flows.runs")
        self.world.settings = self.settings
        self.connection = Timed(url)
        self.recorded = RecordedSchedules(self.connection, self.settings)  # type: ignore[arg-type]
        self.firing = Firing(self.connection, self.settings)  # type: ignore[arg-type]

    @property
    def now(self) -> int:
        """The server's time, as scripts are told it."""
        return self.connection.now

    @now.setter
    def now(self, ms: int) -> None:
        self.connection.now = ms

    def write(self, *definitions: ScheduleDefinition, app: str = "shop") -> list[str]:
        """Record schedules of an app; a word each."""
        return [*done(self.recorded.write(app, definitions))]

    def see(self, *ids: str, app: str = "shop", how: Any = "seen") -> tuple[list[str], list[str]]:
        """Say which ones an app declares; which are missing, and which were deleted."""
        missing, gone = done(self.recorded.see(app, ids, how))
        return sorted(missing), sorted(gone)

    def fire(self, definition: ScheduleDefinition, *slots: int, seen: int | None = None) -> Fired:
        """Fire slots of a schedule; the next one is that after the last."""
        following = (slots[-1] if slots else self.now) + STEP
        digest = definition.fields()["digest"]
        first = slots[0] if seen is None else seen
        return done(self.firing.fire(definition, digest, first, slots, following))

    def fire_due(self, definition: ScheduleDefinition) -> list[str]:
        """Let the next slot come, fire it, and return the runs that were started."""
        slot = self.next_of(definition.id)
        assert slot is not None
        self.now = int(slot)
        return [run_id for word, run_id in self.fire(definition, int(slot)).slots if word == "started"]

    def next_of(self, schedule_id: str) -> float | None:
        """Return the next slot of a schedule."""
        score: Any = self.redis.zscore(self.recorded.keys.schedules(), schedule_id)
        return None if score is None else float(score)

    def run(self, run_id: str) -> dict[str, str]:
        """Return a run's hash."""
        found: Any = self.redis.hgetall(self.settings.keys.job(RUN_FLOW, run_id))
        return found

    def waiting(self, queue: str = "report") -> list[str]:
        """Return the runs that wait."""
        found: Any = self.redis.lrange(self.settings.keys.waiting(queue), 0, -1)
        return found

    def end(self, run_id: str) -> None:
        """Let a run be over: its retention has passed."""
        self.redis.delete(self.settings.keys.job(RUN_FLOW, run_id))


def schedule(
    schedule_id: str = "daily", times: Cron | Every = EVERY, *, most: int = 0, **run: Any
) -> ScheduleDefinition:
    """Return a schedule of the workflow `report`."""
    lookups = (("workflow", "report"),)
    return ScheduleDefinition(
        schedule_id, times, NewRun("", "report", "report", b'{"day":1}', lookups=lookups, **run), most
    )


def done(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns."""
    return asyncio.run(work)
