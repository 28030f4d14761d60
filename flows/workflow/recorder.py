"""`Recorder`: where the steps of one attempt at a run are written, whatever stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.runs.child_run import ChildRun
    from flows.model.runs.loaded import Arrived, Failing
    from flows.model.runs.suspended import EventWait


class Recorder(Protocol):
    """Writes what the steps of one attempt have done, and reads what is too much to be loaded with it."""

    async def put(
        self,
        records: Mapping[str, bytes],
        children: Sequence[ChildRun] = (),
        waits: Sequence[EventWait] = (),
        failing: Failing | None = None,
    ) -> Arrived | None:
        """Write all of this at once, or nothing; return when it stands where a crash cannot take it.

        An attempt has one call under way at a time. The same call again, by this attempt or by a later one, starts no
        child twice. A call may come without records.

        Args:
            records: The records of steps, as texts, by their names (`step:<name>` of the hash).
            children: Runs to start. A step that waits for them has its record in this call or in an earlier one.
            waits: Events for which steps wait while the attempt goes on: one that has come already settles its step.
            failing: How the run ends once its steps are undone (`_failing`).

        Returns:
            What has come from outside and the attempt has not been told; None: nothing.

        Raises:
            asyncio.CancelledError: the attempt has lost its lease: nothing was written.
            StoreFull: the server is full, and was until the lease was nearly over.
            StoreUnavailable: it did not answer for as long.
            IdempotencyConflict: a child's key belongs to a run with other input; nothing was written.
        """
        ...

    async def child_results(self, step: str, start: int, stop: int) -> Sequence[bytes]:
        """Return how the children of a step with these indices ended, each as the JSON of a `ChildRunResult`.

        They are asked for where the step's record says only how many there are (`total`).
        """
        ...
