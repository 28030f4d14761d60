"""Reads what limiters and slots have given out, by one script."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.model.limits.limit_state import LimitState
from flows.model.limits.window import Window

if TYPE_CHECKING:
    from flows.model.limits.limiter import Limiter
    from flows.model.limits.rules import Rules
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings

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
    rules = settings.rules[queue]
    named = {
        **settings.named(),
        "queue": queue,
        "group": "" if group is None else group.text,
        "sharing": rules.shared_slots or "",
    }
    rest: list[Any] = []
    for name, limiter in rules.named_limiters(queue):
        rest += (name, _window_of(limiter, group))
    now, found, used, live, *of_group = await connection.run(settings.script("read_limits"), named, rest)
    states = [
        _limiter(now, name, limiter, group, of_one)
        for (name, limiter), of_one in zip(rules.named_limiters(queue), found, strict=True)
    ]
    if rules.slots:
        name = rules.shared_slots or "slots"
        states.append(_slots(name, None, rules.slots, [live], used))
    if rules.slots_per_group:
        states.append(_of_group(rules, group, of_group))
    return states


def _window_of(limiter: Limiter, group: Group | None) -> str:
    """Return what stands in the key of a limiter's window behind its id, `-` where no window is asked for."""
    if limiter.group_key is None:
        return ""
    return "-" if group is None else f"/{group.text}"


def _limiter(now: int, name: str, limiter: Limiter, group: Group | None, found: Any) -> LimitState:
    live, of_group, numbers = found
    reservoir, interval = limiter.reservoir, limiter.interval_ms
    for text in (live, of_group):
        number, _, ms = (text or b"").partition(b"/")
        if number.isdigit() and ms.isdigit():
            reservoir, interval = max(1, int(number)), max(1, int(ms))
    grouped = limiter.group_key is not None
    known = not grouped or group is not None
    window = read_window(reservoir, interval, list(map(float, numbers)), smooth=limiter.smooth)
    ready = window.ready_at(now)
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
    taken = [(at, int(count)) for at, count in zip(numbers[::2], numbers[1::2], strict=True) if math.isfinite(at)]
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
