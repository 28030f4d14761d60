"""`Asked`: what somebody has asked to be executed of an instance, as JSON; `When`: when that is to begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from flows.model.tree.paths import ROOT

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class Asked(BaseModel):
    """What is to be executed.

    Attributes:
        path: The task, or `#`.
        argument: What its view has as its argument; None: nothing.
        missing: Whether what it depends on and is not ready is an error, or is executed too.
        subtree: Whether all below it is executed as well.
        downstream: Whether all that uses its result is.
    """

    model_config = ConfigDict(frozen=True)

    path: str = ROOT
    argument: Any = None
    missing: Literal["error", "run"] = "error"
    subtree: bool = False
    downstream: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """When an execution is to begin: at a time, or so much later."""

    run_at: datetime | None = None
    delay: timedelta | float | None = None

    @property
    def is_now(self) -> bool:
        """Whether it is to begin at once."""
        return self.run_at is None and self.delay is None
