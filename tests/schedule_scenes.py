"""Scenes of the scripts of schedules: see scenes.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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


def set_schedules(world: World) -> Any:
    """Edit one, leave another one as it is, and write a new one."""
    rest = [["daily", NOW + 1, 2, "digest", "e"], ["old", NOW, 2, "digest", "d"], ["new", NOW, 2, "digest", "d"]]
    return world.run("set_schedules", *(part for one in rest for part in one), app="shop", stale_ms=30_000, edit=0)


SCHEDULE_SCENES: Final[dict[str, list[Scene]]] = {
    "delete_schedule": [
        (seed_schedule, lambda world: world.run("delete_schedule", schedule_id="old", stale_ms=30_000))
    ],
    "due_schedules": [(seed_schedule, lambda world: world.run("due_schedules", most=9))],
    "pause_schedule": [
        (seed_schedule, lambda world: world.run("pause_schedule", schedule_id="daily", paused=1, note="why"))
    ],
    "see_schedules": [
        (seed_schedule, lambda world: world.run("see_schedules", "daily", app="shop", how="kept", stale_ms=30_000))
    ],
    "set_schedules": [(seed_schedule, set_schedules)],
}
