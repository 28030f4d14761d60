"""Jobs whose type this process does not know: handed back for a while, for processes that do, and then failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.kernel.deploy.misfits import pause_of
from flows.model.history import history_of
from flows.model.outcome import Fail, Outcome, Snooze
from flows.model.texts import writable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flows.kernel.judge import Judge
    from flows.store.jobs.claimed import ClaimedJob
    from flows.telemetry.events import Events

#: In seconds: the first pause, which doubles, and the longest; of a long grace, an eighth of it. The history keeps 20
#: lines, by which they are counted.
_FIRST: Final = 1.0
_LONGEST: Final = 8.0


class UnknownTypes:
    """What becomes of the jobs of one queue whose type is not known here.

    Args:
        queue: The queue.
        grace: For how many seconds they are handed back.
        read: Reads the hash of a job, or None where it is gone.
        events: Where `job.misfit` is emitted.
    """

    def __init__(
        self, queue: str, grace: float, read: Callable[[str], Awaitable[Mapping[str, bytes] | None]], events: Events
    ) -> None:
        self._queue = queue
        self._grace = grace
        self._read = read
        self._events = events

    async def outcome(self, claimed: ClaimedJob, kind: str, judge: Judge) -> Outcome:
        """Return the outcome of an attempt at a job of this type.

        Raises:
            StoreError: the server cannot be used.
        """
        begin = f"no handler of its type (visit {claimed.visit})"
        history = history_of(await self._read(claimed.id) or {}, None) if self._grace else []
        before = sum(past.queue == self._queue and past.reason.startswith(begin) for past in history)
        pause, left = pause_of(before, _FIRST, max(_LONGEST, self._grace / 8), self._grace)
        what = f"this process has no handler of type {kind!r:.80}"
        if pause <= 0:
            return Fail(judge.error(claimed, "UnknownType", f"{what}: declare it with @service.on(…)"))
        self._events.emit_seldom(
            (self._queue, kind),
            "job.misfit",
            queue=self._queue,
            job_id=claimed.id,
            job_class=writable(kind[:80]),
            fields="type",
            error=writable(what),
            follows=f"handed back, and failed in {left:.0f} s if no other process takes it",
        )
        return Snooze(round(pause * 1000), reason=writable(f"{begin}: {kind!r:.80}"), for_others=True)
