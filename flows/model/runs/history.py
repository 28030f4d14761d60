"""`RunHistory`: all that is recorded of one run, as a JSON that tests hold the code of its workflow against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

#: In this order a record's members stand, whoever has written the JSON anew since.
_FIRST: Final = ("status", "order", "kind")
_LAST: Final = ("result", "error", "children")


class RunHistory(BaseModel):
    """What was recorded of a run; `model_dump_json()` writes it, `model_validate_json(…)` reads it."""

    workflow: str
    id: str
    status: str
    """The state of the run when it was read."""
    input: Any = None
    output: Any = None
    """What it returned; None of a run that is not done."""
    steps: dict[str, dict[str, Any]]
    """The records of its steps by their names, as they stand in the run's hash: in the order in which they were
    settled, then those that wait."""

    @property
    def records(self) -> dict[str, bytes]:
        """The records of its steps as an attempt reads them."""
        return {name: _text(found) for name, found in self.steps.items()}


def make_history(  # noqa: PLR0917 - what there is of a run
    run_id: str, workflow: str, status: str, given: bytes, output: bytes | None, records: Mapping[str, bytes]
) -> RunHistory:
    """Return the history of a run from the texts that stand in its hash; `records` are those of `step:<name>`."""
    return RunHistory(
        id=run_id,
        workflow=workflow,
        status=status,
        input=from_json(given),
        output=None if output is None else from_json(output),
        steps=dict(sorted(((name, from_json(raw)) for name, raw in records.items()), key=_place)),
    )


def _place(step: tuple[str, dict[str, Any]]) -> tuple[bool, list[int]]:
    order: int | list[int] | None = step[1].get("order")
    return order is None, order if isinstance(order, list) else [order or 0]


def _text(found: dict[str, Any]) -> bytes:
    first = {name: found[name] for name in _FIRST if name in found}
    last = {name: found[name] for name in _LAST if name in found}
    rest = {name: value for name, value in found.items() if name not in first and name not in last}
    return to_json({**first, **rest, **last})
