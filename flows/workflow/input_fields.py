"""Which fields an input has, for those by which runs are found or grouped."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel
from typing_extensions import is_typeddict

from flows.errors import DeclarationError
from flows.model.runs.shape import name_of
from flows.model.values.lookup import is_listable

if TYPE_CHECKING:
    from flows.model.runs.shape import Shape
    from flows.model.runs.workflow_options import WorkflowOptions


def check_fields(options: WorkflowOptions, taken: Shape[Any] | None) -> None:
    """Check that the input has the fields by which runs are found and grouped.

    Raises:
        DeclarationError: it lacks one, or no value of one can be looked up.
    """
    rules = options.rules
    group = None if rules is None else rules.group
    wanted = [("lookup", name) for name in options.lookup] + ([] if group is None else [("group_by", group)])
    if not wanted:
        return
    where = f"workflow {options.name!r}"
    if taken is None:
        raise DeclarationError(
            f"{where}: {wanted[0][0]}={wanted[0][1]!r} names a field of the input, and it takes none"
        )
    found = _fields_of(taken.declared)
    for option, name in wanted:
        if name not in found:
            known = f"its fields are {', '.join(found)}" if found else "it has no fields"
            raise DeclarationError(f"{where}: {option}={name!r} is no field of {name_of(taken.declared)}; {known}")
        if option == "lookup" and not is_listable(found[name]):
            raise DeclarationError(
                f"{where}: no value of {name_of(taken.declared)}.{name} is ever listed; declare a str, int, float, "
                "UUID, Enum, date, datetime, Decimal or URL, or a list, tuple or set of those"
            )


def _fields_of(declared: Any) -> dict[str, Any]:
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        return {name: field.annotation for name, field in declared.model_fields.items()}
    kind: Any = declared  # pyright: ignore[reportUnknownVariableType]
    if is_dataclass(kind) or is_typeddict(kind):
        try:
            hints = get_type_hints(kind)
        except Exception:  # noqa: BLE001 - annotations are user code; pydantic has resolved them
            hints = {}
        names = [one.name for one in fields(kind)] if is_dataclass(kind) else list(hints)
        return {name: hints.get(name, Any) for name in names}
    return {}
