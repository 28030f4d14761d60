"""Makes children ready to be created: those that functions name, and those that a parent's hash names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import PydanticSerializationError, to_json

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.codec import as_object, decode, encode, encode_value
from flows.model.ids import new_child_id, new_job_id
from flows.model.job import ChildJob, user_fields
from flows.model.limits.given import check_cost, check_priority, refuse_cost
from flows.model.outcome import Fields, NewChild
from flows.model.values.plain import is_json
from flows.model.values.unreadable import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flows.model.job import Job
    from flows.model.queue_options import QueueOptions

#: A parent may have so many children.
CHILDREN_LIMIT: Final = 10_000
#: What the kernel knows of a child beside its params.
RULED: Final = frozenset({"_priority", "_cost"})
#: The id of each child while its params are looked at, since its class would make one for it.
_KNOWN = b'"id":"%b"' % new_job_id().encode()


def child_specs(children: Sequence[ChildJob], parent: QueueOptions[Job]) -> bytes:
    """Return children as they stand in `children:<queue>:params`, a JSON list, each validated against its class.

    Raises:
        ValidationError: the parent has no such child queue, or the params are not what its class declares.
    """
    return b"[" + b",".join(_child_spec(child, parent) for child in children) + b"]"


def _child_spec(child: ChildJob, parent: QueueOptions[Job]) -> bytes:
    options = _child_options(child, parent)
    spec = b'{"child":"%b","params":%b' % (options.name.encode(), as_object(_child_fields(child, options)))
    if child.priority is not None:
        spec += b',"priority":%d' % child.priority
    if child.cost is not None:
        refuse_cost("ChildJob: cost", child.cost, {options.name: options.rules})
        spec += b',"cost":%d' % child.cost
    return spec + (b',"children":%b}' % child_specs(child.children, options) if child.children else b"}")


def _child_options(child: ChildJob, parent: QueueOptions[Job]) -> QueueOptions[Job]:
    if not isinstance(child, ChildJob):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"{child!r} is no ChildJob")
    found = [options for options in parent.children if child.child in {options.name, options.job}]
    if len(found) == 1:
        return found[0]
    name = child.child if isinstance(child.child, str) else child.child.__name__
    known = ", ".join(f"{options.name} ({options.job.__name__})" for options in parent.children)
    if found:
        raise ValidationError(
            f"{name} is the job class of several child queues of {parent.name!r} ({known}): name the child queue"
        )
    raise ValidationError(f"queue {parent.name!r} has no child queue {name!r}; it has {known or 'none'}")


def _child_fields(child: ChildJob, options: QueueOptions[Job]) -> Fields:
    declared, params = user_fields(options.job), child.params
    if not isinstance(params, dict) and isinstance(params, BaseModel):  # a dict is told soonest
        params = fields = encode(params)
    else:
        fields = None
    if unknown := [str(name) for name in params if name not in declared]:
        raise _undeclared(options, unknown)
    if fields is None:
        fields = _encode_params(params, options)
    try:
        decode(options.job, fields, _KNOWN)
    except PydanticValidationError as error:
        raise _unfit(options, error) from error
    return fields


def _encode_params(params: Mapping[str, object], options: QueueOptions[Job]) -> Fields:
    if not all(map(is_json, params.values())):
        # What JSON has no word for is written by the child's class, which knows how to read it again.
        fields = encode(_as_child(params, options))
        return {name: fields[name] for name in params}
    try:
        return {name: to_json(value) for name, value in params.items()}
    except PydanticSerializationError:
        return {name: encode_value(name, value) for name, value in params.items()}  # it says which it is


def _as_child(params: Mapping[str, object], options: QueueOptions[Job]) -> Job:
    try:
        child: Job = options.job.__pydantic_validator__.validate_python(dict(params), by_alias=False, by_name=True)
    except PydanticValidationError as error:
        raise _unfit(options, error) from error
    return child


def _unfit(options: QueueOptions[Job], error: PydanticValidationError) -> ValidationError:
    return ValidationError(f"child {options.name!r} is not a {options.job.__name__}: {in_one_line(error)}")


def _undeclared(options: QueueOptions[Job], names: list[str]) -> ValidationError:
    return ValidationError(f"child {options.name!r}: {options.job.__name__} declares no {', '.join(names)}")


def new_children(queue: str, specs: Any, parent_id: str) -> list[NewChild]:
    """Return children that are ready to be written, from what `child_specs` made.

    Raises:
        ValidationError: they are too many, or not in the shape that the kernel writes.
    """
    if not isinstance(specs, list):
        raise ValidationError(f"children:{queue}:params is not a list")
    listed: list[Any] = specs  # pyright: ignore[reportUnknownVariableType]
    check_count(listed)
    try:
        return list(_new_children(queue, listed, parent_id))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValidationError(f"children:{queue}:params does not hold children: {error!r}") from error


def check_count(children: Sequence[object]) -> None:
    """Check that one parent can have so many children.

    Raises:
        PayloadTooLarge: it cannot.
    """
    if len(children) > CHILDREN_LIMIT:
        raise PayloadTooLarge(f"{len(children):,} children are over the limit of {CHILDREN_LIMIT:,} for one parent")


def _new_children(queue: str, specs: list[Any], parent_id: str) -> Iterator[NewChild]:
    for spec in specs:
        child: str = spec["child"]
        fields: Fields = {name: to_json(value) for name, value in spec["params"].items()}
        if "priority" in spec:
            fields["_priority"] = b"%d" % check_priority(spec["priority"])
        if "cost" in spec:
            fields["_cost"] = b"%d" % check_cost(spec["cost"])
        if spec.get("children"):
            fields[f"children:{queue}:{child}:params"] = to_json(spec["children"])
        yield NewChild(child, new_child_id(parent_id), fields)
