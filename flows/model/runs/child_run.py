"""A run that a step of another run starts: what to start, and which step waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel

from flows.model.job import JobError

if TYPE_CHECKING:
    from flows.model.runs.new_run import NewRun

OutputT = TypeVar("OutputT")

#: A `map` starts at most so many.
MOST_CHILDREN: Final = 10_000
#: So many are written by one call, and so many bytes of inputs.
CHILDREN_A_WRITE: Final = 50
BYTES_A_WRITE: Final = 512 << 10


@dataclass(frozen=True, slots=True)
class ChildRun:
    """A run to start. It is started once for its step and index, however often it is written."""

    step: str
    index: int
    """Which of its step's runs it is, from 0."""
    total: int
    """How many its step starts in all."""
    run: NewRun
    waited: bool = True
    """Whether the step waits for it; one that is emitted has no parent."""
    limit: int = 0
    """So many of the step's runs are open at once; 0: all of them."""


class ChildRunResult(BaseModel, Generic[OutputT]):
    """How one of the runs of a `map` ended."""

    id: str
    status: Literal["done", "failed", "cancelled", "expired", "deleted"]
    result: OutputT | None = None
    error: JobError | None = None
    reason: str = ""

    @property
    def failure(self) -> JobError:
        """Why it did not end as done."""
        return self.error or JobError(type=self.status, message=self.reason or f"the run {_HOW[self.status]}")


_HOW: Final[dict[str, Any]] = {
    "failed": "failed",
    "cancelled": "was cancelled",
    "expired": "has expired",
    "deleted": "was deleted",
    "done": "is done",
}
