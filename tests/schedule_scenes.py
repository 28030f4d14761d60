"""Scenes of the scripts of schedules: see scenes.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flows.store.client.scripts import Argument
from flows.store.keys.schedules import ScheduleKeys
from tests.world import NOW, World

Scene = tuple[Callable[[World], None], Callable[[World], Any]]
#: What is written of a schedule; scripts look at few of it.
FIELDS: Final = {"digest": "d", "overlap": "cancel_running", "workflow": "report", "app": "shop"}
LAST: Final = "00000001-0000-7000-8000-00000000000a"


def seed_schedule(world: World, **fields: str) -> None:
    """Let a schedule be due whose last run waits, and another one be stale."""
    world.seed(
        jobs={f"shop:{LAST}": {"_lookups": "user:7"}},
        waiting={"pick": [LAST]},
        lookups={"shop:user:7": [LAST]},
        schedules={"": {"daily": NOW, "old": NOW + 5}},
        schedule={"daily": {**FIELDS, "last": LAST, **fields}, "old": FIELDS},
        fired={"daily": {"1": "gone"}, "old": {"1": "gone"}},
        declared={"shop": {"daily": str(NOW), "old": "1"}},
    )


def run(slot: int) -> list[Argument]:
    """Return a slot and its run, as `take_run` reads it."""
    fields = ["input", "1", "_schedule", f"{slot} daily"]
    return [slot, "pick", f"00000002-0000-7000-8000-{slot:012}", 0, 0, 0, "", "user:7", len(fields), *fields]


def fire(world: World, script: str = "fire") -> Any:
    """Fire the slot that is due, or one that is over."""
    keys = ScheduleKeys(world.namespace)
    named: dict[str, Argument] = {
        "schedules": keys.schedules(),
        "schedule": keys.schedule("daily"),
        "fired": keys.fired("daily"),
        "schedule_id": "daily",
        "digest": "d",
        "seen": NOW,
        "next_ms": NOW + 9,
        "most": 1,
    }
    return world.run(script, *run(NOW), **named)


def set_schedules(world: World) -> Any:
    """Edit one, leave another one as it is, and write a new one."""
    rest = [["daily", NOW + 1, 2, "digest", "e"], ["old", NOW, 2, "digest", "d"], ["new", NOW, 2, "digest", "d"]]
    return world.run("set_schedules", *(part for one in rest for part in one), app="shop", stale_ms=30_000)


SCHEDULE_SCENES: Final[dict[str, list[Scene]]] = {
    "backfill": [(seed_schedule, lambda world: fire(world, "backfill"))],
    "delete_schedule": [
        (seed_schedule, lambda world: world.run("delete_schedule", schedule_id="old", stale_ms=30_000))
    ],
    "due_schedules": [(seed_schedule, lambda world: world.run("due_schedules", most=9))],
    "fire": [
        (seed_schedule, fire),
        (lambda world: seed_schedule(world, overlap="queue"), fire),
    ],
    "pause_schedule": [
        (seed_schedule, lambda world: world.run("pause_schedule", schedule_id="daily", paused=1, note="why"))
    ],
    "see_schedules": [
        (seed_schedule, lambda world: world.run("see_schedules", "daily", app="shop", how="kept", stale_ms=30_000))
    ],
    "set_schedules": [(seed_schedule, set_schedules)],
}
