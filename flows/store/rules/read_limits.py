"""Reads what limiters and slots have given out, by one script."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.model.limits.given import rule_number
from flows.model.limits.limit_state import LimitState
from flows.model.limits.window import Window

if TYPE_CHECKING:
    from flows.model.limits.limiter import Limiter
    from flows.model.limits.rules import Rules
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: A group that is held is parked until half a millisecond behind a whole one: `hold.lua` has the same.
_HELD: Final = 0.5
#: What the slots of a group are called.
_PER_GROUP: Final = "slots_per_group"


@dataclass(frozen=True, slots=True)
class Group:
    """A group: its value, and the text by which scripts know it."""

    value: str | int
    text: str


async def read_limits(
    connection: Connection, settings: FlowSettings, queue: str, group: Group | None
) -> list[LimitState]:
    """Return the state of each limiter of a queue with rules, then of its slots; of one group, where one is given.

    Raises:
        StoreError: the server cannot be used.
    """
    named: dict[str, Argument] = {"group": "" if group is None else group.text}
    return (await _read(connection, settings, queue, named, group)).states


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What the limits of a queue say of one job that waits there."""

    now_ms: int
    states: list[LimitState]
    group: str
    """The text of its group; empty where it has none."""
    cost: int
    held_ms: float | None
    """Until when the queue is held, or was."""
    group_held_ms: float | None
    """Until when its group is held, or was."""


async def limits_of_job(connection: Connection, settings: FlowSettings, queue: str, job_id: str) -> JobLimits:
    """Return the state of each limit of a queue with rules, of the group of a job that waits there, and its holds.

    Raises:
        StoreError: the server cannot be used.
    """
    return await _read(connection, settings, queue, {"id": job_id}, None)


async def _read(
    connection: Connection, settings: FlowSettings, queue: str, scope: dict[str, Argument], group: Group | None
) -> JobLimits:
    rules = settings.rules[queue]
    named: dict[str, Argument] = {
        **settings.named(settings.flow_of(queue)),
        "queue": queue,
        "field": rules.group or "",
        "sharing": rules.shared_slots or "",
        "group": "",
        "id": "",
        **scope,
    }
    rest: list[Any] = []
    for name, limiter in rules.named_limiters(queue):
        rest += (name, "q" if limiter.group_key is None else "g")
    now, found, used, live, *of_group = await connection.run(settings.script("read_limits"), named, rest)
    *slots_of_group, held, parked, raw_group, raw_cost = of_group
    text, cost = raw_group.decode("utf-8", "replace"), rule_number(raw_cost)
    if group is None and text:
        group = Group(text, text)
    states = [
        _limiter(now, name, limiter, group, cost, of_one)
        for (name, limiter), of_one in zip(rules.named_limiters(queue), found, strict=True)
    ]
    if rules.slots:
        states.append(_slots(rules.shared_slots or "slots", None, rules.slots, [live], used))
    if rules.slots_per_group:
        states.append(_of_group(rules, group, slots_of_group))
    until = number_of(parked)
    is_held = until is not None and until % 1 == _HELD
    return JobLimits(now, states, text, cost, number_of(held), until if is_held else None)


def number_of(raw: bytes) -> float | None:
    """Return a number that a field or a score holds; None where it holds none."""
    try:
        number = float(raw)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _limiter(  # noqa: PLR0913, PLR0917 - a row, and what it is read with
    now: int, name: str, limiter: Limiter, group: Group | None, cost: int, found: Any
) -> LimitState:
    live, of_group, numbers = found
    reservoir, interval = limiter.reservoir, limiter.interval_ms
    for text in (live, of_group):
        number, _, ms = (text or b"").partition(b"/")
        if number.isdigit() and ms.isdigit():
            reservoir, interval = max(1, int(number)), max(1, int(ms))
    grouped = limiter.group_key is not None
    known = not grouped or group is not None
    window = read_window(reservoir, interval, list(map(float, numbers)), smooth=limiter.smooth)
    ready = window.ready_at(now, cost)
    return LimitState(
        id=name,
        kind="limiter",
        per_group=grouped,
        group=group.value if grouped and group is not None else None,
        declared=limiter.reservoir,
        live=reservoir,
        interval=timedelta(milliseconds=interval),
        smooth=limiter.smooth,
        used=window.held if known else None,
        ready_at=datetime.fromtimestamp(ready / 1000, UTC) if known and ready > now else None,
    )


def read_window(reservoir: int, interval: int, numbers: list[float], *, smooth: bool) -> Window:
    """Return a window as it is kept: times and tokens by turns and, of an odd number, when the next start may be."""
    spaced = numbers.pop() if len(numbers) % 2 else 0
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    taken = [(int(at), int(count)) for at, count in pairs if math.isfinite(at) and math.isfinite(count)]
    return Window(reservoir, interval, smooth=smooth, taken=taken, spaced=spaced)


def _of_group(rules: Rules, group: Group | None, found: list[Any]) -> LimitState:
    used, per_group, of_this = found
    if group is None:
        return _slots(_PER_GROUP, None, rules.slots_per_group, [per_group], None)
    load = int(used) if used.isdigit() else 0
    return _slots(_PER_GROUP, group, rules.slots_per_group, [per_group, of_this], load)


def _slots(name: str, group: Group | None, declared: int, set_to: list[bytes], used: int | None) -> LimitState:
    live = declared
    for text in set_to:
        if text and text.isdigit():
            live = int(text)
    return LimitState(
        id=name,
        kind="slots",
        per_group=name == _PER_GROUP,
        group=None if group is None else group.value,
        declared=declared,
        live=live,
        used=used,
    )
