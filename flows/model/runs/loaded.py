"""What an attempt at a run begins with: all that is recorded of the run; and what comes while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.job import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: So many steps a run may have.
MOST_STEPS: Final = 10_000
#: So many bytes the records of a run may take together.
MOST_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Failing:
    """How a run ends once its steps are undone: the field `_failing` of its hash, as a JSON text.

    `{"as":"failed","error":{…}}` or `{"as":"cancelled","reason":"…"}`; scripts write it too.
    """

    how: Literal["failed", "cancelled"]
    error: JobError | None = None
    reason: str = ""

    def write(self) -> bytes:
        """Return the field's text."""
        if self.how == "cancelled":
            return b'{"as":"cancelled","reason":%b}' % to_json(self.reason)
        return b'{"as":"failed","error":%b}' % to_json(self.error)


def read_failing(raw: bytes) -> Failing:
    """Return what the field `_failing` says.

    Raises:
        MalformedJob: it is nothing that flows has written.
    """
    try:
        found: Any = from_json(raw)
        if found["as"] == "cancelled":
            return Failing("cancelled", reason=str(found.get("reason", "")))
        return Failing("failed", JobError.model_validate(found["error"]))
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedJob(f"_failing cannot be read: {error}") from error


@dataclass(slots=True)
class Loaded:
    """What is recorded of a run when an attempt begins.

    Attributes:
        records: The records of its steps, by their names, as texts.
        come: How many things have come from outside (`_come`).
        now_ms: The server's clock when they were read.
        life: Which life of the run this is: `<visit>.<attempts>`. Waits keep it, a retry of the run raises it.
        failing: How it ends once its steps are undone; None: it has not failed.
        deadline_ms: When the run's timeout ends it, by the server's clock; None: it has none.
        incomplete: Steps some of whose children are not written yet.
        max_payload: So many bytes a step's result may have.
    """

    records: dict[str, bytes] = field(default_factory=dict[str, bytes])
    come: int = 0
    now_ms: int = 0
    life: str = "0.1"
    failing: Failing | None = None
    deadline_ms: int | None = None
    incomplete: frozenset[str] = frozenset()
    max_payload: int = 1 << 20

    @property
    def record_life(self) -> str:
        """The life as records have it: the first one is not worth a word."""
        return "" if self.life == "0.1" else self.life


@dataclass(frozen=True, slots=True)
class Arrived:
    """What has come from outside while an attempt works.

    Attributes:
        come: How many things have come by now (`_come`).
        records: The records that were settled, by the names of their steps: at least all with an order that is
            higher than what the attempt has seen before.
    """

    come: int
    records: Mapping[str, bytes]
