"""Jobs that do not fit their class: handed back while another release may fit them, or failed at once.

By its shape a job fits another release: a field is missing or unknown, has another JSON type, or is an enum's member
that is not known here. It is handed back as long as a process of another release works on its queue. A value of the
right shape that a validator refuses fits none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError as PydanticValidationError

from flows.errors import StoreUnavailable
from flows.kernel.judge import Judge
from flows.kernel.process.messages import UnfitJob
from flows.model.codec import Decoder
from flows.model.history import history_of
from flows.model.outcome import Fail, Outcome, Release, Snooze
from flows.model.plain_record import user_names
from flows.model.texts import text_of, writable
from flows.model.values.unreadable import in_one_line, missing, path_of, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from flows.kernel.fleet.other_releases import OtherReleases
    from flows.model.plan import QueuePlan
    from flows.store.jobs.claimed import ClaimedJob
    from flows.telemetry.events import Events

#: In seconds: how long a job is handed back in all, the first pause, which doubles, and the longest. The history keeps
#: 20 lines, and these make 18.
IN_ALL: Final = 3600.0
FIRST: Final = 0.1
LONGEST: Final = 600.0

#: Pydantic's words for what has another shape; those that end in `_type` do as well.
_SHAPES: Final = frozenset(
    {
        "missing",
        "extra_forbidden",
        "enum",
        "literal_error",
        "union_tag_invalid",
        "union_tag_not_found",
        "none_required",
        "is_instance_of",
        "int_from_float",
        "int_parsing",
        "float_parsing",
        "bool_parsing",
    }
)
#: So much of a reason stands in the job's history.
_LONGEST_REASON: Final = 200


class Misfits:
    """The jobs of one queue that do not fit its class.

    Args:
        plan: The queue's place in its flow.
        read: Reads the hash of a job, or None where it is gone.
        others: Knows whether another release works on the queue.
        events: Where `job.misfit` is emitted.
    """

    def __init__(
        self,
        plan: QueuePlan,
        read: Callable[[str], Awaitable[Mapping[str, bytes] | None]],
        others: OtherReleases,
        events: Events,
    ) -> None:
        self._queue = plan.queue
        self._class = plan.options.job.__name__
        self._fields = Decoder(plan.options.job).fields
        self._judge = Judge(plan)
        self._read = read
        self._others = others
        self._events = events

    async def outcome(self, claimed: ClaimedJob, error: Exception) -> Outcome:
        """Return the outcome of an attempt whose job could not be read as its class, for this reason."""
        fields = dict(zip(self._fields, claimed.values, strict=False))
        why = text_of(error) if isinstance(error, UnfitJob) else why_unreadable(error, fields)
        malformed = self._judge.malformed(claimed, f"it does not fit {self._class}: {why}")
        if not isinstance(error, PydanticValidationError):
            return malformed
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        if not all(map(_is_shape, errors)):
            return malformed
        try:
            found = await self._read(claimed.id) or {}
            others = await self._others.work_on(self._queue)
        except StoreUnavailable:
            return Release()
        begin = f"it does not fit {self._class} (visit {claimed.visit}): "[:_LONGEST_REASON]
        reason = writable(begin + in_one_line(error))
        before = sum(past.queue == self._queue and past.reason.startswith(begin) for past in history_of(found, None))
        pause, left = pause_of(before, FIRST, LONGEST, IN_ALL)
        if others and pause > 0:
            self._tell(claimed, errors, writable(f"it does not fit {self._class}: {in_one_line(error)}"), left)
            return Snooze(round(pause * 1000), reason=reason[:_LONGEST_REASON], for_others=True)
        lacks = missing(error)
        if not lacks:
            return malformed
        has = ", ".join(user_names(found)) or "no fields"
        message = f"{self._class} of queue {self._queue!r} needs {', '.join(map(repr, lacks))}; this job has {has}"
        return Fail(self._judge.error(claimed, "FieldMissing", message))

    def _tell(self, claimed: ClaimedJob, errors: Sequence[ErrorDetails], why: str, left: float) -> None:
        """Emit `job.misfit`, once a minute for each class and what is wrong; in `left` seconds the job fails."""
        fails_at = datetime.now(UTC) + timedelta(seconds=left)
        fields = ", ".join(dict.fromkeys(path_of(one["loc"]).removeprefix(".") for one in errors))
        unless = f"it fails at {fails_at:%H:%M} UTC if that does not take it"
        self._events.emit_seldom(
            (self._class, fields),
            "job.misfit",
            queue=self._queue,
            job_id=claimed.id,
            job_class=self._class,
            fields=fields,
            error=why[:500],
            follows=f"handed back, since another release works here; {unless}",
        )


def _is_shape(error: ErrorDetails) -> bool:
    return error["type"] in _SHAPES or error["type"].endswith("_type")


def pause_of(before: int, first: float, longest: float, in_all: float) -> tuple[float, float]:
    """Return for how long a job is handed back that was so many times before, and in how long it fails; in seconds.

    Args:
        before: How often it was handed back.
        first: The first pause, which doubles.
        longest: No pause is longer.
        in_all: So long it is handed back in all.
    """
    pauses = [min(longest, first * (1 << number)) for number in range(before + 1)]
    left = max(0.0, in_all - sum(pauses[:-1]))
    return min(pauses[-1], left), left
