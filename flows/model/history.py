"""What became of a job's attempts, as its record shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from flows.model.outcome import ENDING_VERBS, OUTCOMES, HistoryLine, Retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.job import JobError

#: A longer count is nonsense.
_MOST_DIGITS = 9
#: The verb by which a job comes to each of its last states, unless the history has a line of another one.
_LAST_VERBS: Final = {
    row.state.encode(): row.verb for row in OUTCOMES.values() if row.ends and row.line is HistoryLine.NONE
}
#: After these the job waits to be tried again; those with 1 have given their number back. A rescue is no outcome of an
#: attempt, but the end of one that has none.
_GIVEN_BACK: Final = {row.verb: int(row.gives_back) for row in OUTCOMES.values() if row.again} | {"rescue": 0}
#: The verb of an attempt that failed and is made again; those of UNCOUNTED say nothing of the error before them.
RETRY: Final = OUTCOMES[Retry].verb
UNCOUNTED: Final = frozenset({row.verb for row in OUTCOMES.values() if row.gives_back} | {"rescue"})


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One attempt that is over."""

    queue: str
    attempt: int
    """The attempt's number in that queue, from 1; a snoozed or released one gave its number back."""
    worker: str
    """`<host>.<process id>.<random>`."""
    ended_at: datetime
    """When the attempt ended, by the server's clock, in UTC."""
    verb: str
    """How the attempt ended: the verb of its outcome, as `retry` or `finish`; `rescue` where its worker was lost."""
    error: tuple[str, str] | None = None
    """The type and the beginning of the message, where the attempt failed."""
    reason: str = ""


def history_of(fields: Mapping[str, bytes], error: JobError | None) -> list[PastAttempt]:
    """Return the attempts that a job's hash records, oldest first; lines edited into nonsense are left out."""
    listed = [past for line in fields.get("_history", b"").splitlines() if (past := _past(line)) is not None]
    last = _last(fields, error)
    if last is None or (listed and (_same(listed[-1], last) or _waited(listed[-1], last))):
        return listed
    return [*listed, last]


def _same(listed: PastAttempt, last: PastAttempt) -> bool:
    """Return whether the attempt that is listed last ended the job: its outcome writes a line of its own."""
    return listed.verb in ENDING_VERBS and listed.ended_at == last.ended_at


def _waited(listed: PastAttempt, last: PastAttempt) -> bool:
    """Return whether the job was cancelled after the attempt that is listed last and before the next one began."""
    given_back = _GIVEN_BACK.get(listed.verb)
    waited = given_back is not None and listed.attempt - given_back == last.attempt
    return last.verb == "cancel" and listed.queue == last.queue and waited


def _past(line: bytes) -> PastAttempt | None:
    try:
        found: Any = from_json(line)
        error: Any = found.get("error")
        return PastAttempt(
            queue=str(found["queue"]),
            attempt=int(found["attempt"]),
            worker=str(found["worker"]),
            ended_at=_time(found["at"]),
            verb=str(found["verb"]),
            error=None if error is None else (str(error.get("type")), str(error.get("message"))),
            reason=str(found.get("reason", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
        return None


def last_attempt(text: bytes) -> tuple[str, int]:
    """Return the worker that has a job or had it last ('': none had), and how often it was tried in its queue.

    Args:
        text: The field `_attempt`: `<fence> <worker> <attempts> …`; nonsense counts as none.
    """
    _fence, worker, attempts, *_others = [*text.split(b" "), b"", b""]
    if worker == b"-" or not attempts.isdigit() or len(attempts) > _MOST_DIGITS:
        return "", 0
    return worker.decode("utf-8", "replace"), int(attempts)


def _last(fields: Mapping[str, bytes], error: JobError | None) -> PastAttempt | None:
    """Return the attempt by which the job ended, which has no line of its own: other fields hold all of it."""
    verb = _LAST_VERBS.get(fields.get("_status", b""))
    worker, attempts = last_attempt(fields.get("_attempt", b""))
    if verb is None or attempts < 1 or not worker:
        return None
    try:
        return PastAttempt(
            queue=fields.get("_queue", b"").decode("utf-8", "replace"),
            attempt=attempts,
            worker=worker,
            ended_at=_time(fields.get("_ended", b"0")),
            verb=verb,
            error=(error.type, error.message[:200]) if verb == "fail" and error is not None else None,
            reason=fields.get("_reason", b"").decode("utf-8", "replace"),
        )
    except (ValueError, OverflowError, OSError):
        return None


def _time(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
