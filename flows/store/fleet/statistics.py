"""Reads the history of a queue, which heartbeats write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flows.errors import KeyConflict
from flows.model.fleet.statistics import STEPS, QueueSample, Step, read_sample
from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings

_MS_OF_MINUTE: Final = 60_000
#: A minute has no more digits: it was edited.
_LONGEST: Final = 12


async def read_series(
    connection: Connection, settings: FlowSettings, queue: str, step: Step = "minute", count: int | None = None
) -> list[QueueSample]:
    """Return the history of a queue, oldest first; steps in which nothing was written are left out.

    Args:
        connection: To the server.
        settings: Those of any flow in the namespace.
        queue: Its full name.
        step: How it is divided.
        count: So many steps at most, the present one included; None: all that are kept.

    Raises:
        StoreError: the server cannot be used.
    """
    letter, minutes, kept = STEPS[step]
    key = settings.keys.stats(queue)
    try:
        now, last = await _now_and_last(connection, settings, key)
    except KeyConflict:
        return []
    newest = now // minutes
    numbers = range(newest - min(count or kept, kept) + 1, newest + 1)
    fields = [f"{letter}{number}" for number in numbers]
    found: list[bytes | None] = await connection.call("HMGET", key, *fields, f"m{last}")
    *steps, open_minute = [None if one is None else one.decode("ascii", "replace") for one in found]
    samples = {
        number: read_sample(text, step, number) for number, text in zip(numbers, steps, strict=True) if text is not None
    }
    if step != "minute" and open_minute is not None and last // minutes in numbers:
        # The minute that was opened last is not folded into its ten minutes and its hour yet.
        number = last // minutes
        latest = read_sample(open_minute, step, number)
        if (folded := samples.get(number)) is not None:
            latest = replace(latest, waited=folded.waited + latest.waited, ran=folded.ran + latest.ran)
        samples[number] = latest
    return [samples[number] for number in sorted(samples)]


async def _now_and_last(connection: Connection, settings: FlowSettings, key: str) -> tuple[int, int]:
    """Return the minute that it is, by the server's clock, and the one that was opened last.

    Raises:
        KeyConflict: the key holds another type.
    """
    commands: list[Command] = [("TIME",), ("HGET", key, "last")]
    replies: list[Any] = await connection.together(commands)
    for reply in replies:
        if isinstance(reply, ReplyError):
            raise translated(reply)
    (seconds, micro), last = replies
    now = (int(seconds) * 1000 + int(micro) // 1000 + settings.ahead_ms) // _MS_OF_MINUTE
    if last is None or not last.isdigit() or len(last) > _LONGEST:
        return now, -1
    return now, int(last)
