"""A flow that logs its endings, and whose child queues `pack:label` and `pack:box` are told of them."""

from __future__ import annotations

import json
from typing import Any, Final

from redis import Redis

from flows.model.endings.options import Endings
from flows.model.endings.outbox import Outbox, ReportsTo
from tests.world import World

#: Ids have their full length: that of a report is made from them.
ID: Final = "01900000-0000-7abc-8000-00000000{:04x}"
FIELDS: Final = ("type", "tenant")
ENDINGS: Final = Endings(days=2, most=1000, fields=FIELDS)
#: All that end is told at `pack:label`; failures of mails, at `pack:box` as well.
REPORTS: Final = (ReportsTo("pack:label"), ReportsTo("pack:box", on={"failed"}, types={"mail", "sms"}))
OUTBOX: Final = Outbox(ENDINGS, REPORTS)


def job_id(number: int) -> str:
    """Return the id of a job."""
    return ID.format(number)


def report_id(number: int, visit: int = 0) -> str:
    """Return the id of the report of a job that has ended in a visit."""
    return job_id(number).replace("7abc", f"7{visit:03x}")


def outbox_world(redis: Redis, namespace: str, outbox: Outbox = OUTBOX, **settings: Any) -> World:
    """Return a world whose endings leave this behind."""
    return World(redis, namespace, outbox=outbox.lines, **settings)


def logged(world: World, word: str, flow: str = "shop") -> list[dict[str, str]]:
    """Return the entries of a log."""
    return _entries(world, world.key("endings", f"{flow}:{word}"))


def logged_as(world: World, error: str) -> list[dict[str, str]]:
    """Return the entries of the log of a type of error."""
    return _entries(world, world.key("errors", f"shop:{error}"))


def told(world: World, queue: str = "pack:label") -> dict[str, Any]:
    """Return what the reports in a queue tell, in order, by their ids."""
    ids: Any = world.redis.lrange(world.keys.waiting(queue), 0, -1)
    return {one: json.loads(world.job(f"{queue}:{one}")["ending"]) for one in ids}


def _entries(world: World, key: str) -> list[dict[str, str]]:
    found: Any = world.redis.xrange(key)
    return [fields for _entry, fields in found]
