"""`Failure`: what `on_failure` of a workflow is called with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from flows.model.job import JobError

InputT_co = TypeVar("InputT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Failure(Generic[InputT_co]):
    """A run that has failed for good, or was cancelled, as `on_failure` sees it: once, after the last attempt."""

    run_id: str
    workflow: str
    input: InputT_co
    """What the run was started with; None of a workflow that takes no input."""
    error: JobError
    """What its function raised last; where it was cancelled, the type is `Cancelled` and the message the reason."""
    cancelled: bool = False
    """Whether the run was cancelled, and did not fail."""
