"""Which fields of a hash the job class of a queue cannot do without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from flows.model.job import Job, children_fields, user_fields

if TYPE_CHECKING:
    from flows.model.declared.declared_flow import DeclaredClass

#: What a job class is called, and which fields it needs.
Needs: TypeAlias = "tuple[str, tuple[str, ...]]"


def needs_of_class(job: type[Job]) -> Needs:
    """Return the name of a job class and the fields that it needs; results of children are read in another way."""
    own = [name for name in user_fields(job) if name not in children_fields(job)]
    return job.__name__, tuple(name for name in own if job.model_fields[name].is_required())


def needs_of_declared(declared: DeclaredClass) -> Needs | None:
    """Return the same of a class that a release declares; None where it has no schema."""
    schema = declared.schema
    if schema is None:
        return None
    required: Any = schema.get("required", [])
    properties: Any = schema.get("properties", {})
    if not isinstance(required, list) or not isinstance(properties, dict):
        return None
    names: list[Any] = required  # pyright: ignore[reportUnknownVariableType]
    parts: dict[str, Any] = properties  # pyright: ignore[reportUnknownVariableType]
    known = (name for name in names if isinstance(name, str))
    return declared.title, tuple(name for name in known if not _is_of_children(parts.get(name)))


def _is_of_children(part: Any) -> bool:
    """Whether a field holds the results of children, by its schema."""
    try:
        refers: Any = part["items"]["$ref"]
    except (KeyError, TypeError, IndexError):
        return False
    return isinstance(refers, str) and refers.rpartition("/")[2].startswith("ChildResult")
