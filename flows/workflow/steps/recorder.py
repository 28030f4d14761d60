"""`Recorder`: where the steps of one attempt at a run are written, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.outcome import EventWait
    from flows.model.runs.loaded import Arrived
    from flows.model.runs.step_children import StepChildren

_NO_FIELDS: Final[Mapping[str, bytes]] = MappingProxyType({})


class Recorder(Protocol):
    """Writes what the steps of one attempt have done, and reads what is too much to be loaded with it."""

    async def put(
        self,
        records: Mapping[str, bytes],
        children: Sequence[StepChildren] = (),
        waits: Sequence[EventWait] = (),
        fields: Mapping[str, bytes] = _NO_FIELDS,
    ) -> Arrived | None:
        """Write all of this; return when it stands where a crash cannot take it.

        An attempt has one call under way at a time. Records, waits and fields are written at once or not at all; many
        children go in parts, and are written again by a later attempt where not all are there (`Loaded.incomplete`).

        Args:
            records: The records of steps, as texts, by their names (`step:<name>` of the hash).
            children: Runs to start. A step that waits for them has its record in this call or in an earlier one.
            waits: Events for which steps wait while the attempt goes on: one that has come already settles its step.
            fields: Other fields of the run's hash: `_failing` (`Failing.write`), `_undo` (`1`, with the first step
                that has an undo).

        Returns:
            What has come from outside and the attempt has not been told; None: nothing.

        Raises:
            asyncio.CancelledError: the attempt has lost its lease: nothing was written.
            StoreFull: the server is full, and was until the lease was nearly over.
            StoreUnavailable: it did not answer for as long.
            IdempotencyConflict: a child's key belongs to a run with other input; nothing was written.
        """
        ...

    async def children(self, step: str, start: int, count: int) -> Sequence[bytes]:
        """Return how `count` children of a step from index `start` on have ended, each as JSON of a `ChildRunResult`.

        They are asked for where the step's record says only how many there are (`total`).
        """
        ...
