"""Calls `create` with a key, as a client does."""

from __future__ import annotations

import itertools

from flows.store.client.scripts import Argument
from tests.world import KEPT, TTL, World

_numbers = itertools.count(1)

#: How long lookup lists live.
LOOKUPS = max(TTL, *KEPT)


def new_id() -> str:
    """Return an id that no job has."""
    return f"job-{next(_numbers)}"


def create(  # noqa: PLR0913 - keyword-only, each with its usual value
    world: World,
    condition: str,
    *,
    job_id: str = "",
    key: str = "k",
    lookups: tuple[str, ...] = (),
    delay_ms: int = 0,
    until_ms: int = -1,
    fields: dict[str, str] | None = None,
    **named: Argument,
) -> tuple[str, str]:
    """Create a job under a key; the word, and the id of the job that is there now."""
    job_id = job_id or new_id()
    kind = condition.partition(" ")[0]
    lines = "\n".join((*lookups, f"#{kind}:{key}"))
    values = {**({"a": "1"} if fields is None else fields), "_lookups": lines}
    rest: list[Argument] = [job_id, lines, 2 * len(values), *(part for pair in values.items() for part in pair)]
    usual: dict[str, Argument] = {"delay_ms": delay_ms, "until_ms": until_ms, "lookup_ttl": LOOKUPS}
    [answer] = world.run("create", *rest, condition=condition, **{**usual, **named})
    word, *about = answer
    return word, about[0] if about else job_id


def listed(world: World, line: str) -> list[str]:
    """Return the ids in a lookup list, as those of a key."""
    ids: list[str] = world.redis.lrange(world.key("lookups", f"shop:{line}"), 0, -1)
    return ids
