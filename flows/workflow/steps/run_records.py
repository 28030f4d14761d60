"""The records of a run's steps in one attempt: those that were loaded, and those that it has made since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.runs.loaded import MOST_BYTES
from flows.model.runs.step_record import OWN, is_waiting, place_of, read_record
from flows.workflow.steps.failures import Unstorable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.model.runs.shape import Shape
    from flows.model.runs.step_record import Place, StepRecord

#: About so many bytes a record has beside its result.
_HEAD_BYTES: Final = 128
#: What the record of a step that can be undone has in it; a text has it as `\"undo\"`.
_UNDO: Final = b',"undo":true'


class RunRecords:
    """The records of a run's steps, by their names.

    Args:
        loaded: As texts; those of the library's own are left out.
        max_payload: So many bytes a step's result may have.
    """

    def __init__(self, loaded: Mapping[str, bytes], max_payload: int) -> None:
        #: What was loaded, and what has come from outside since.
        self.loaded = {name: raw for name, raw in loaded.items() if not name.startswith(OWN)} if loaded else {}
        #: What this attempt has recorded, in place of that.
        self._kept: dict[str, StepRecord] = {}
        self._bytes = sum(map(len, self.loaded.values()))
        self._max_payload = max_payload

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

    def encode(self, name: str, shape: Shape[Any], value: object) -> bytes:
        """Return what the function of a step has returned, as JSON.

        Raises:
            Unstorable: it is not of the type that the function says, or too large; its cause says which.
        """
        try:
            raw = shape.encode(value)
            size, limit = len(raw), self._max_payload
            if size > limit:
                raise PayloadTooLarge(
                    f"the result of step {name!r} takes {size:,} bytes, over max_payload={limit:,}: store large data "
                    "elsewhere and return where it is"
                )
            if self._bytes + size + _HEAD_BYTES > MOST_BYTES:
                raise PayloadTooLarge(
                    f"the steps of this run take more than {MOST_BYTES >> 20} MiB: return less, or continue as new"
                )
        except ValidationError as error:
            raise Unstorable from error
        return raw

    def to_undo(self) -> Iterator[tuple[str, StepRecord]]:
        """Yield the steps that are done and are to be undone, with their records."""
        yield from ((name, read_record(name, raw)) for name, raw in self.loaded.items() if _UNDO in raw)
        yield from ((name, record) for name, record in self._kept.items() if record.undo)
