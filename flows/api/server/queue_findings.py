"""What is to be said of a queue: that nobody serves it, that it is paused, held, limited, behind, or that it fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.api.views.server import Finding
from flows.model.names import OWN, is_own

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from flows.api.known_flow import KnownFlow
    from flows.api.views.flows import LimitView, QueueView
    from flows.model.fleet.process import Process

#: A worker that is idle asks for work every five seconds.
_ASKED: Final = timedelta(seconds=60)
#: A queue is behind when its next job has waited for so many seconds.
_BEHIND: Final = 30
#: It fails when so many of the jobs that leave it do, and so many a minute at least.
_FAILS: Final = 0.1
_FAILING: Final = 1


@dataclass(frozen=True)
class QueueFindings:
    """What is found in the queues of one flow.

    Args:
        known: The flow.
        at: Now, by the server's clock.
        processes: Those of the flow, dead ones too.
        max_oldest: For so long the next job of a queue may wait.
    """

    known: KnownFlow
    at: datetime
    processes: Sequence[Process]
    max_oldest: timedelta | None

    def of(self, queue: QueueView) -> Iterator[Finding]:
        """Yield what is to be said of a queue."""
        for field in queue.unreadable:
            sentence = f"{field} of queue {queue.name!r} cannot be read: its key holds something that is not ours"
            yield _say(queue, "wrong", "conflict", sentence, field=field)
        yield from self._served(queue)
        yield from self._stopped(queue)
        yield from self._behind(queue)
        if queue.failing is not None and queue.failing >= max(_FAILING, _FAILS * (queue.left or 0)):
            some, left = f"{queue.failing:,.0f}", f"{queue.left or 0:,.0f}"
            yield _say(
                queue,
                "warning",
                "failing",
                f"{some} of {left} jobs that leave {queue.name!r} in a minute have failed",
                failing=queue.failing,
                left=queue.left,
                failed=queue.failed,
            )
        if self.max_oldest is not None and queue.oldest is not None and queue.oldest > self.max_oldest.total_seconds():
            most = self.max_oldest.total_seconds()
            sentence = f"the next job of {queue.name!r} has waited {queue.oldest:,.0f} s, over {most:,.0f}"
            yield _say(queue, "wrong", "oldest", sentence, oldest=queue.oldest)

    def _served(self, queue: QueueView) -> Iterator[Finding]:
        name, of = queue.name, self.known.name
        there = queue.waiting + queue.delayed
        jobs = {"waiting": queue.waiting, "processing": queue.processing, "delayed": queue.delayed}
        due = queue.due is not None and queue.due <= self.at
        if name not in self.known.by_queue and there + queue.processing + queue.children and not is_own(of):
            left = there + queue.processing
            yield _say(
                queue, "wrong", "orphans", f"queue {name!r} is declared no more, and {left:,} jobs are left", **jobs
            )
        elif not queue.workers and not of.startswith(OWN) and (queue.waiting or queue.processing or due):
            told = f"{queue.waiting:,} waiting, {queue.processing:,} running and {queue.delayed:,} delayed jobs"
            heard = max((one.heard for one in self.processes if _serves(one, name)), default=None)
            sentence = f"no live process serves {name!r}, which has {told}"
            yield _say(queue, "wrong", "unserved", sentence, heard=heard, **jobs)
        elif queue.waiting and not queue.paused and not self._works(name):
            sentence = f"{queue.waiting:,} jobs wait in {name!r}, and none of its workers is busy or asks for work"
            yield _say(queue, "wrong", "stuck", sentence, oldest=queue.oldest, **jobs)

    def _stopped(self, queue: QueueView) -> Iterator[Finding]:
        if queue.paused:
            note = f" ({queue.note})" if queue.note else ""
            yield _say(
                queue,
                "warning",
                "paused",
                f"queue {queue.name!r} is paused{note}, and {queue.waiting:,} jobs wait",
                at=queue.paused_at,
                until=queue.paused_until,
                note=queue.note,
                waiting=queue.waiting,
            )
        elif queue.held_until is not None:
            sentence = f"queue {queue.name!r} is held until {queue.held_until:%H:%M:%S} UTC"
            yield _say(
                queue,
                "warning",
                "held",
                f"{sentence}: nothing of it starts",
                until=queue.held_until,
                waiting=queue.waiting,
            )

    def _behind(self, queue: QueueView) -> Iterator[Finding]:
        waits = (queue.oldest or 0) >= _BEHIND
        if not waits or queue.paused or queue.held_until is not None or not queue.workers:
            return
        facts = {"waiting": queue.waiting, "came": queue.came, "left": queue.left, "oldest": queue.oldest}
        wait = f"{queue.waiting:,} jobs wait, the next one for {queue.oldest:,.0f} s"
        limit = next(filter(_is_full, queue.limits), None)
        if limit is None and queue.parked:
            limit = next((one for one in queue.limits if one.per_group), None)
        if limit is not None:
            declared = self.known.by_queue.get(queue.name)
            yield _say(
                queue,
                "warning",
                "limited",
                f"queue {queue.name!r} is held back by its limit {limit.id}: {wait}",
                **facts,
                limit=limit.id,
                kind=limit.kind,
                live=limit.live,
                interval=limit.interval,
                per_group=limit.per_group,
                group=declared.rules.group if declared and declared.rules else None,
                parked=queue.parked,
                ready=limit.ready,
            )
        elif queue.busy >= queue.slots:
            slots = f"all of its {queue.slots:,} slots are busy" if queue.slots else "it has no slots"
            yield _say(
                queue,
                "warning",
                "behind",
                f"queue {queue.name!r} is behind: {wait}; {slots}",
                **facts,
                slots=queue.slots,
            )

    def _works(self, queue: str) -> bool:
        """Return whether a live process has a busy worker of a queue, or one that has asked for work lately."""
        served = [one for process in self.processes if process.alive for one in process.queues if one.queue == queue]
        return any(one.busy or (one.asked is not None and self.at - one.asked < _ASKED) for one in served)


def _is_full(limit: LimitView) -> bool:
    return not limit.per_group and (limit.free == 0 or limit.ready is not None)


def _serves(process: Process, queue: str) -> bool:
    return any(one.queue == queue for one in process.queues)


def _say(queue: QueueView, level: Any, what: str, sentence: str, **facts: Any) -> Finding:
    return Finding(level=level, what=what, sentence=sentence, flow=queue.flow, queue=queue.name, facts=facts)
