"""Outcomes of orders as JSON, for what carries them from one process to another."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob, ValidationError
from flows.model.job import JobError
from flows.store.jobs.log_line import pack_line
from flows.tree.backend.protocol import Outcome, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

_WISHES: Final = frozenset(get_args(Wish))


def write_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain JSON values.

    They are `result`, or `error` with `classes`, `wish`, and `after` in seconds; and what was logged, `log`.
    """
    told: dict[str, Any] = {}
    if outcome.error is None:
        told["result"] = from_json(outcome.result or b"null")
    else:
        told |= {"error": outcome.error.model_dump(), "classes": list(outcome.classes), "wish": outcome.wish}
    if outcome.after is not None:
        told["after"] = outcome.after.total_seconds()
    if outcome.lines:
        told["log"] = [from_json(line) for line in outcome.lines]
    return told


def read_outcome(found: Mapping[str, Any]) -> Outcome:
    """Return an outcome of what `write_outcome` has made of it; members that nobody knows are left out.

    Raises:
        MalformedJob: it is nothing of the kind.
    """
    try:
        lines = tuple(_line(one) for one in found.get("log", ()))
        if "error" not in found:
            return Outcome(to_json(found["result"]), lines=lines)
        wish, after = found.get("wish", ""), found.get("after")
        if wish not in _WISHES:
            raise MalformedJob(f"an outcome has the wish {wish!r:.80}")
        return Outcome(
            error=JobError.model_validate(found["error"]),
            classes=tuple(map(str, found.get("classes", ()))),
            wish=cast("Wish", wish),
            after=None if after is None else timedelta(seconds=float(after)),
            lines=lines,
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, ValidationError) as error:
        raise MalformedJob(f"an outcome cannot be read: {error}") from error


def _line(found: Mapping[str, Any]) -> str:
    """Return a line of a log as `pack_line` makes it."""
    level, meta, attempt = found.get("level", "info"), found.get("meta", {}), int(found.get("attempt", 1))
    return pack_line(str(found["text"]), level, meta, attempt)
