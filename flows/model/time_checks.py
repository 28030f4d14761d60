"""Checks of a flow's times against each other: each may be right alone, and wrong beside another."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError
from flows.model.annotations.declarer import warn_declarer
from flows.model.duration import check_duration, in_seconds
from flows.model.queue_options import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.model.job import Job
    from flows.model.queue_options import QueueOptions
    from flows.model.retention import Retention

_SHORTEST_LEASE: Final = timedelta(milliseconds=100)
#: A job whose worker has died is rescued when its lease is over.
_LONGEST_LEASE: Final = timedelta(days=1)
#: A client sends a call again for 15 s where the answer was lost, and looks for the end of a job once a second.
_SHORTEST_RETENTION: Final = timedelta(seconds=20)


def check_times(  # noqa: PLR0917 - the times of FlowOptions
    flow: str,
    queues: Sequence[QueueOptions[Job]],
    job_ttl: timedelta | None,
    kept: Retention,
    lease: timedelta,
    hang_limit: timedelta,
) -> None:
    """Check each of a flow's times, then warn of those that do not go together.

    Raises:
        DeclarationError: one cannot be used.
    """
    if job_ttl is not None:
        check_duration("job_ttl", job_ttl)
    check_duration("lease", lease, _LONGEST_LEASE)
    check_duration("hang_limit", hang_limit)
    if lease < _SHORTEST_LEASE:
        raise DeclarationError(
            f"lease={in_seconds(lease)} is too short to be renewed: give at least {in_seconds(_SHORTEST_LEASE)}"
        )
    for warning in chain(_of_lives(queues, job_ttl, kept, lease), _of_leases(lease, hang_limit)):
        warn_declarer(f"flow {flow!r}: {warning}")


def _of_leases(lease: timedelta, hang_limit: timedelta) -> Iterator[str]:
    if hang_limit < lease:
        yield (
            f"hang_limit={in_seconds(hang_limit)} is shorter than lease={in_seconds(lease)}: "
            "leases are given up that would still be good"
        )


def _of_lives(
    queues: Sequence[QueueOptions[Job]], job_ttl: timedelta | None, kept: Retention, lease: timedelta
) -> Iterator[str]:
    if job_ttl is not None and job_ttl < lease:
        yield (
            f"job_ttl={in_seconds(job_ttl)} is shorter than lease={in_seconds(lease)}: "
            "a job whose worker has died may expire soon after it is rescued"
        )
    for name, queue in walk(queues):
        if job_ttl is not None and queue.timeout is not None and queue.timeout > job_ttl:
            yield (
                f"timeout={in_seconds(queue.timeout)} of queue {name!r} is longer than job_ttl={in_seconds(job_ttl)}: "
                "what waits behind such a job may expire before its turn"
            )
    for ending in ("done", "failed", "cancelled"):
        time: timedelta = getattr(kept, ending)
        if time < _SHORTEST_RETENTION:
            yield (
                f"a retention of {in_seconds(time)} for {ending} jobs is under {in_seconds(_SHORTEST_RETENTION)}: "
                "wait_for and a call that is sent again may find the job gone"
            )
            return
