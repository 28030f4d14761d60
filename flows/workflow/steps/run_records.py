"""The records of a run's steps in one attempt: those that were loaded, and those that it has made since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.errors import PayloadTooLarge
from flows.model.runs.loaded import MOST_BYTES
from flows.model.runs.step_record import OWN, is_waiting, place_of, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.model.runs.step_record import Place, StepRecord

#: About so many bytes a record has beside its result.
_HEAD_BYTES: Final = 128
#: What the record of a step that can be undone has in it; a text has it as `\"undo\"`.
_UNDO: Final = b',"undo":true'


class RunRecords:
    """The records of a run's steps, by their names.

    Args:
        loaded: As texts; those of the library's own are left out.
    """

    def __init__(self, loaded: Mapping[str, bytes]) -> None:
        #: What was loaded, and what has come from outside since.
        self.loaded = {name: raw for name, raw in loaded.items() if not name.startswith(OWN)}
        #: What this attempt has recorded, in place of that.
        self._kept: dict[str, StepRecord] = {}
        self._bytes = sum(map(len, self.loaded.values()))

    def places(self) -> Iterator[Place]:
        """Yield when each of them came that the code can be given."""
        yield from (place for place in map(place_of, self.loaded.values()) if place is not None)

    def get(self, name: str) -> StepRecord | None:
        """Return the record of a step; None where there is none.

        Raises:
            MalformedJob: it cannot be read.
        """
        kept, raw = self._kept.get(name), self.loaded.get(name)
        return kept if kept is not None or raw is None else read_record(name, raw)

    def settled(self, name: str) -> StepRecord | None:
        """Return the record of a step that has come from outside; None where it still waits."""
        raw = self.loaded.get(name)
        return None if raw is None or is_waiting(raw) else read_record(name, raw)

    def keep(self, name: str, record: StepRecord) -> None:
        """Keep what this attempt has recorded."""
        self._bytes += len(record.result or b"") + _HEAD_BYTES
        self.loaded.pop(name, None)
        self._kept[name] = record

    def count(self, size: int) -> None:
        """Count the result of a step that is done, has nothing to undo, and of which nothing was recorded before."""
        self._bytes += size + _HEAD_BYTES

    def take(self, name: str, raw: bytes) -> None:
        """Keep what has come from outside."""
        self.loaded[name] = raw
        self._kept.pop(name, None)

    def check_room(self, size: int) -> None:
        """Check that the run can hold another result of so many bytes.

        Raises:
            PayloadTooLarge: it cannot.
        """
        if self._bytes + size + _HEAD_BYTES > MOST_BYTES:
            raise PayloadTooLarge(
                f"the steps of this run take more than {MOST_BYTES >> 20} MiB: return less, or continue as new"
            )

    def to_undo(self) -> Iterator[tuple[str, StepRecord]]:
        """Yield the steps that are done and are to be undone, with their records."""
        yield from ((name, read_record(name, raw)) for name, raw in self.loaded.items() if _UNDO in raw)
        yield from ((name, record) for name, record in self._kept.items() if record.undo)
