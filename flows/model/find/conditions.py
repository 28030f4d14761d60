"""Conditions of a query that no list knows: jobs are looked at for them, one by one."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from flows.errors import ValidationError

#: A number of attempts, and how it is compared.
ATTEMPT: Final = re.compile(r"(>=|<=|>|<|)(\d{1,6})", re.ASCII)
#: What can be asked for.
CONDITIONS: Final = frozenset({"error", "worker", "attempt"})
#: What `error` becomes for who may not know what messages say.
ERROR_TYPE: Final = "error_type"
_COMPARED: Final[dict[str, Callable[[int, int], bool]]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "": operator.eq,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looked:
    """What a condition looks at of a job."""

    error_type: str
    error_message: str
    worker: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: any of its values fits, or with `excluded` none does."""

    name: str
    """`error`, its type or a part of its message; `error_type`, that alone; `worker`, or how its name begins; or
    `attempt`, compared as `>3`."""
    values: tuple[str, ...]
    excluded: bool = False

    def holds(self, job: Looked) -> bool:
        """Return whether a job fits."""
        return any(self._fits(value, job) for value in self.values) != self.excluded

    def _fits(self, value: str, job: Looked) -> bool:
        match self.name:
            case "error":
                return job.error_type.lower() == value.lower() or value.lower() in job.error_message.lower()
            case "error_type":
                return job.error_type.lower() == value.lower()
            case "worker":
                return job.worker.startswith(value)
            case _:
                found = ATTEMPT.fullmatch(value)
                return found is not None and _COMPARED[found[1]](job.attempt, int(found[2]))


def write_conditions(conditions: Iterable[Condition]) -> str:
    """Return conditions as a JSON text; empty for none."""
    listed = [[one.name, list(one.values), one.excluded] for one in conditions]
    return json.dumps(listed, separators=(",", ":")) if listed else ""


def read_conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions that `write_conditions` has written.

    Raises:
        ValidationError: it is nothing of that kind.
    """
    if not text:
        return ()
    try:
        listed: Any = json.loads(text)
        found = tuple(Condition(str(name), tuple(map(str, values)), bool(out)) for name, values, out in listed)
    except (ValueError, TypeError) as error:
        raise ValidationError("these are no conditions of a query") from error
    if any(one.name not in CONDITIONS | {ERROR_TYPE} for one in found):
        raise ValidationError(f"conditions of a query are {', '.join(sorted(CONDITIONS))}")
    return found
