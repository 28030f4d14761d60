"""The runs that a step of another run starts, and how each of them ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel

from flows.model.job import JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.runs.new_run import NewRun

OutputT = TypeVar("OutputT")

#: A `map` starts at most so many.
MOST_CHILDREN: Final = 10_000


@dataclass(frozen=True, slots=True)
class StepChildren:
    """The runs that one step starts, in their order: each is started once, however often it is written."""

    step: str
    runs: Sequence[NewRun]
    limit: int | None = None
    """So many of them are open at once; None: all."""
    waited: bool = True
    """Whether the step waits for them; one that is emitted has no parent."""

    @property
    def total(self) -> int:
        """How many they are."""
        return len(self.runs)


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
