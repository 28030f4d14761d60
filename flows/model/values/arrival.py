"""Holds what would be read of a model against the model itself, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError

from flows.errors import ValidationError
from flows.model.job import JobResult
from flows.model.values.same import Difference, difference, refuse_unwritable
from flows.model.values.unreadable import path_of

#: Reads a model from the fields of a hash.
Read: TypeAlias = Callable[[Mapping[str, bytes]], BaseModel]


def check_arrival(model: BaseModel, fields: Mapping[str, bytes], read: Read) -> None:
    """Check that what is read from these fields is what `model` holds, types included.

    Raises:
        ValidationError: it is not; the message names the class and the path, and shows no value.
    """
    kind = type(model).__name__
    try:
        found = _first_difference(model, fields, read)
    except Exception as error:  # a validator of the user's may raise anything
        _refuse_unwritable(model, fields)
        if _looks_at_more(model, error):
            return
        raise ValidationError(f"{kind}{_told(fields, read, error)}: a worker would refuse the job") from error
    if found is not None:
        _refuse_unwritable(model, fields)
        raise ValidationError(f"{kind}{found.path} {found.how}: give it in a form that JSON keeps")


def _first_difference(model: BaseModel, fields: Mapping[str, bytes], read: Read) -> Difference | None:
    """Return where what is read from the fields differs from the model, unless it is by its validators alone.

    Validators run whenever a job is read: what they change a second time is the user's doing.
    """
    arrived = read(fields)
    found = _fields_differ(model, arrived, fields)
    if found is None or found.lost:
        return found
    again = _validated(model)
    if _fields_differ(again, arrived, fields):
        return found
    # One that they leave alone from then on has never been validated: it was set afterwards, or by `model_construct`.
    return None if _fields_differ(_validated(again), arrived, fields) else found


def _validated(model: BaseModel) -> BaseModel:
    again: BaseModel = type(model).__pydantic_validator__.validate_python(
        _as_input(model), by_alias=False, by_name=True
    )
    return again


def _fields_differ(model: BaseModel, arrived: BaseModel, names: Iterable[str]) -> Difference | None:
    values, others = model.__dict__, arrived.__dict__
    for name in names:
        found = difference(values[name], others[name])
        if found is not None:
            return found._replace(path=f".{name}{found.path}")
    return None


def _as_input(value: Any) -> Any:
    """Return a value as its class would be given it, without what serializers make of it."""
    if isinstance(value, BaseModel):
        fields = {name: held for name, held in value.__dict__.items() if name in type(value).model_fields}
        return {name: _as_input(held) for name, held in {**fields, **(value.__pydantic_extra__ or {})}.items()}
    if isinstance(value, dict):
        return {key: _as_input(held) for key, held in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if type(value) in {list, tuple}:
        return type(value)(map(_as_input, value))
    return value


def _refuse_unwritable(model: BaseModel, names: Iterable[str]) -> None:
    """Refuse first what no JSON can hold: it says more than what follows from it."""
    for name in names:
        refuse_unwritable(model.__dict__.get(name), name)


def _looks_at_more(model: BaseModel, error: Exception) -> bool:
    """Return whether it is a validator of a result that refuses it, one that may ask for its children or next queue.

    These are not written with its fields.
    """
    more = isinstance(model, JobResult) and (model.children or model.next_queue is not None)
    return bool(more) and isinstance(error, PydanticValidationError) and not error.errors()[0]["loc"]


def _told(fields: Mapping[str, bytes], read: Read, error: Exception) -> str:
    """Return where and why it cannot be read, without the values, which may be secret."""
    if not isinstance(error, PydanticValidationError):
        return f".{_raises(fields, read)} cannot be read again: its validator raises {type(error).__name__}"
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{path_of(first['loc'])} cannot be read again ({first['msg']})"


def _raises(fields: Mapping[str, bytes], read: Read) -> str:
    """Return which field's validator raises something else than an error of validation."""
    for name, raw in fields.items():
        try:
            read({name: raw})
        except PydanticValidationError:
            continue  # it lacks the others
        except Exception:  # noqa: BLE001 - a validator is user code
            return name
    return "*"
