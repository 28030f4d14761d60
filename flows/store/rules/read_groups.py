"""Reads the groups of a queue a page at a time: a page takes as many commands as it has groups, however many there are.

A group that waits stands in the ring of a priority or is parked; one whose jobs only run has a load, and one without
jobs has a share where one was set. They are walked in this order, each by the cursor of a scan.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from flows.errors import ValidationError
from flows.store.keys.rules import RuleKeys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.model.limits.rules import Rules
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings

#: One page reads so often at most; the next one goes on.
_MOST_SCANS: Final = 10
#: A group that is held is parked until half a millisecond behind a whole one: `hold.lua` has the same.
_HELD: Final = 0.5


@dataclass(frozen=True, slots=True)
class GroupState:
    """One group now."""

    text: str
    """Its value as JSON, or of a long one the digest."""
    share: float
    waiting: int
    in_flight: int | None
    """How many slots its jobs take; None where the queue counts none of groups."""
    parked: bool
    """Whether some of its jobs may not start now."""
    until: datetime | None
    """When those may; None where they wait for a slot."""
    held: bool
    """Whether they were held, and are kept by no limit."""
    first: str
    """The id of its job that is next; empty where none waits."""

    @property
    def value(self) -> str | int | None:
        """What its jobs have in the field; None of a digest."""
        try:
            found: Any = json.loads(self.text)
        except ValueError:
            return None
        return found if isinstance(found, (str, int)) else None


class Groups:
    """The groups of one queue.

    Args:
        connection: To the server.
        settings: Those of its flow.
        queue: Its full name.
        rules: Its rules, with groups.
    """

    def __init__(self, connection: Connection, settings: FlowSettings, queue: str, rules: Rules) -> None:
        self._connection = connection
        self._keys = RuleKeys(settings.keys.namespace)
        self._queue = queue
        self._rules = rules
        keys, bands = self._keys, range(1, rules.priorities + 1)
        #: How each place is scanned, and how it is asked for one group.
        self._places: list[tuple[str, str, str]] = [("ZSCAN", "ZSCORE", keys.ring(queue, n)) for n in bands]
        self._parked = len(self._places)
        self._places += [("ZSCAN", "ZSCORE", keys.parked(queue)), ("HSCAN", "HEXISTS", keys.load(queue))]
        self._places.append(("HSCAN", "HEXISTS", keys.shares(queue)))

    async def page(self, cursor: str, limit: int) -> tuple[list[GroupState], str]:
        """Return some groups and the cursor behind them; a page may have some more than `limit`, the last one fewer.

        A group that comes or goes meanwhile may be told twice or not.

        Raises:
            ValidationError: the cursor is none of a page.
            StoreError: the server cannot be used.
        """
        place, scan = self._read_cursor(cursor)
        found: dict[str, None] = {}
        for _scan in range(_MOST_SCANS):
            command, _ask, key = self._places[place]
            scan, flat = await self._connection.call(command, key, scan, "COUNT", limit)
            texts = self._texts(place, [name.decode("utf-8", "replace") for name in flat[::2]])
            found |= dict.fromkeys(await self._first_here(place, texts))
            if scan == b"0":
                place += 1
                if place == len(self._places):
                    return await self._states(list(found)), ""
            if len(found) >= limit:
                break
        return await self._states(list(found)), f"{place}.{int(scan)}"

    def _read_cursor(self, cursor: str) -> tuple[int, bytes]:
        if not cursor:
            return 0, b"0"
        place, _, scan = cursor.partition(".")
        if not (place.isascii() and place.isdigit() and scan.isascii() and scan.isdigit()):
            raise ValidationError(f"cursor {cursor!r:.40}: give the one of the page before")
        if int(place) >= len(self._places) or len(scan) > 20:  # noqa: PLR2004 - digits of 64 bits
            raise ValidationError(f"cursor {cursor!r:.40}: give the one of the page before")
        return int(place), scan.encode()

    def _texts(self, place: int, names: list[str]) -> list[str]:
        if place == self._parked:
            names = [name.partition("/")[2] for name in names]
        return [name for name in dict.fromkeys(names) if name]

    async def _first_here(self, place: int, texts: list[str]) -> list[str]:
        """Return those groups that no place before has."""
        asked: list[list[Command]] = [list(self._asked(place, text)) for text in texts]
        replies = iter(await self._connection.together(list(chain(*asked))))
        there = {text: [next(replies) not in (None, 0) for _one in of] for text, of in zip(texts, asked, strict=True)}
        return [text for text, found in there.items() if not any(found)]

    def _asked(self, place: int, text: str) -> Iterator[Command]:
        for number, (_scan, ask, key) in enumerate(self._places[:place]):
            if number == self._parked:
                yield from ((ask, key, f"{band}/{text}") for band in range(1, self._rules.priorities + 1))
            else:
                yield ask, key, text

    async def _states(self, texts: list[str]) -> list[GroupState]:
        keys, queue, bands = self._keys, self._queue, range(1, self._rules.priorities + 1)
        each: list[list[Command]] = [
            [
                ("HGET", keys.shares(queue), text),
                ("HGET", keys.load(queue), text),
                *(("LLEN", keys.group(queue, band, text)) for band in bands),
                *(("ZSCORE", keys.parked(queue), f"{band}/{text}") for band in bands),
                *(("LINDEX", keys.group(queue, band, text), 0) for band in bands),
            ]
            for text in texts
        ]
        replies = iter(await self._connection.together(list(chain(*each))))
        return [self._state(text, [next(replies) for _one in asked]) for text, asked in zip(texts, each, strict=True)]

    def _state(self, text: str, replies: list[Any]) -> GroupState:
        bands = self._rules.priorities
        share, load, *more = [_number(one) for one in replies[:-bands]]
        waiting, parked = more[:bands], more[bands:]
        heads = (one.decode("utf-8", "replace") for one in replies[-bands:] if isinstance(one, bytes))
        until = min([one for one in parked if one is not None], default=None)
        ends = None if until is None or math.isinf(until) else until
        return GroupState(
            text=text,
            share=1.0 if share is None else share,
            waiting=sum(int(one or 0) for one in waiting),
            in_flight=int(load or 0) if self._rules.slots_per_group else None,
            parked=until is not None,
            until=None if ends is None else datetime.fromtimestamp(ends // 1 / 1000, UTC),
            held=ends is not None and ends % 1 == _HELD,
            first=next(heads, "").rpartition(":")[2],
        )


def _number(reply: Any) -> float | None:
    """Return a number; None where there is none, or the key holds something else."""
    try:
        return float(reply)
    except (TypeError, ValueError):
        return None
