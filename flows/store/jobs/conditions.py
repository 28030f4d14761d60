"""Says on which condition a job is created, as `create.lua` reads it, and what its answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import DuplicateJob, IdempotencyConflict, KeyConflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.creation.keys import Condition


def condition_text(condition: Condition | None) -> str:
    """Return the script's argument `condition`; the key itself is the last of the job's lookups."""
    if condition is None:
        return ""
    if condition.kind == "unique":
        return f"unique {condition.within_ms or condition.until}"
    if condition.kind == "debounce":
        return f"debounce {condition.wait_ms} {condition.longest_ms}"
    return "key"


def job_of(job_id: str, answer: Sequence[bytes], condition: Condition | None) -> str:
    """Return the id of the job that is there now: the one that was to be created, or that of its key.

    Raises:
        KeyConflict: one of the job's keys in Redis holds something else.
        IdempotencyConflict: the job of its key has other params.
        DuplicateJob: the job of its key still keeps others out.
    """
    word, *about = (part.decode() for part in answer)
    if word == "created":
        return job_id
    if word in {"existing", "debounced"}:
        return about[0]
    key = "" if condition is None else condition.key
    if word == "different":
        raise IdempotencyConflict(about[0], key)
    if word == "duplicate":
        raise DuplicateJob(about[0], key)
    raise KeyConflict(f"{about[0]}: delete or rename that key; the job was not created")
