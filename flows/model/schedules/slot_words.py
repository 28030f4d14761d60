"""What became of the slots of a schedule, or will: pure, of what is recorded of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from flows.model.schedules.due_slots import newest_slots, slots_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flows.model.schedules.due_slots import Slots

#: `ran`: it has a run, whatever became of that, also one that waits behind another; `missed`: nobody was there to
#: fire it; `due`: it has come, and nobody has fired it yet; `planned`: it is still to come; `unknown`: it is from
#: before what is recorded. Of the others `fire.lua` tells: the schedule is paused, its last run is open, its workflow
#: has no free slot, or as many runs wait as may.
SlotWord: TypeAlias = Literal["ran", "missed", "due", "planned", "unknown", "paused", "open", "full", "queue full"]
_RAN: Final = frozenset({"started", "queued", "ran"})


@dataclass(frozen=True, slots=True)
class ToldSlot:
    """One slot; times are in milliseconds since 1970."""

    at: int
    word: SlotWord
    run: str = ""
    """The run that it has; of one that does not run, the one that has kept it from that."""


class SlotBook:
    """What is recorded of the slots of one schedule.

    Args:
        schedule: Its times.
        fields: Its hash.
        next_ms: Its next slot that nobody has fired; None: it has none.
        now_ms: The server's time.
    """

    def __init__(self, schedule: Slots, fields: Mapping[str, bytes], next_ms: int | None, now_ms: int) -> None:
        self._schedule = schedule
        self._told = dict(_read(fields.get("slots", b"")))
        self._next = now_ms if next_ms is None else next_ms
        self._now = now_ms
        since = fields.get("since", b"")
        self._since = int(since) if since.isdigit() else now_ms
        paused = fields.get("paused", b"")
        self._paused = int(paused) if paused.isdigit() else None
        #: From here on a slot that nobody has told of was missed; what was before is not known.
        self.known = max(self._since, min(self._told, default=self._next))

    def newest(self, most: int) -> list[ToldSlot]:
        """Return what became of the slots that came last, oldest first, so many at most.

        Of those that passed while it was paused the first one stands for all.
        """
        end = self._now if self._paused is None else min(self._now, self._paused)
        reckoned = newest_slots(self._schedule, self.known, end, most) if self.known <= end else ()
        others = (slot for slot in reckoned if self._word(slot) != "paused")
        return self.tell(sorted({*self._told, *others})[-most:])

    def between(self, start: int, end: int, most: int) -> list[ToldSlot] | None:
        """Return the slots from `start` to `end`, both included, oldest first; None where there are more."""
        found: list[int] = []
        for slot in slots_between(self._schedule, start, end):
            if len(found) == most:
                return None
            found.append(slot)
        return self.tell(found)

    def tell(self, slots: Iterable[int]) -> list[ToldSlot]:
        """Return what became of some slots, or will."""
        return [self._told.get(slot) or ToldSlot(slot, self._word(slot)) for slot in slots]

    def _word(self, slot: int) -> SlotWord:
        if slot > self._now:
            return "planned"
        if slot < self.known:
            return "unknown"
        if self._is_paused(slot):
            return "paused"
        return "due" if slot >= self._next else "missed"

    def _is_paused(self, slot: int) -> bool:
        if self._paused is not None and slot >= self._paused:
            return True
        before = max((one for one in self._told if one < slot), default=None)
        return before is not None and self._told[before].word == "paused"


def _read(raw: bytes) -> Iterable[tuple[int, ToldSlot]]:
    """Yield what each line tells, `<slot> <run or -> <word>`; lines edited into nonsense are left out."""
    for line in raw.decode("utf-8", "replace").splitlines():
        slot, _, rest = line.partition(" ")
        run, _, word = rest.partition(" ")
        told: SlotWord | None = "ran" if word in _RAN else _word_of(word)
        if slot.isdecimal() and told is not None:
            yield int(slot), ToldSlot(int(slot), told, "" if run == "-" else run)


def _word_of(text: str) -> SlotWord | None:
    return next((word for word in get_args(SlotWord) if word == text), None)
