"""Encodes models as the fields of a hash, each a JSON text of its own, and decodes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import compress
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from flows.errors import ValidationError
from flows.model.job import ChildrenOf, children_fields, user_fields
from flows.model.values.arrival import check_arrival
from flows.model.values.plain import MOST_DIGITS, plain_fields, stays
from flows.model.values.same import refuse_unwritable
from flows.model.values.sets import sorted_sets
from flows.model.values.unknown import without_unknown

ModelT = TypeVar("ModelT", bound=BaseModel)


def encode(model: BaseModel) -> dict[str, bytes]:
    """Return the user fields of `model`, each as JSON that gives back what the model holds, types included.

    Raises:
        ValidationError: a value is not JSON, is NaN or infinite, or would come back as another one.
    """
    kind = type(model)
    tests, numbers, plain, constrained = plain_fields(kind)
    if not plain:
        return _encode_checked(model, kind)
    values = model.__dict__
    try:
        for name, is_declared in tests:
            if not is_declared(values[name]):
                return _encode_checked(model, kind)
        fields = {name: to_json(values[name]) for name, _is_declared in tests}
        for name in numbers:
            if len(fields[name]) > MOST_DIGITS:
                return _encode_checked(model, kind)
        if constrained and not stays(kind, {name: values[name] for name, _is_declared in tests}):
            return _encode_checked(model, kind)
    except KeyError as error:
        raise ValidationError(f"{kind.__name__}.{error.args[0]} is missing: nothing was given for it") from None
    except PydanticSerializationError:
        return _encode_checked(model, kind)  # it finds out which field it is
    return fields


def encode_value(name: str, value: object) -> bytes:
    """Return one value as JSON.

    Raises:
        ValidationError: it is not JSON, or is NaN or infinite.
    """
    refuse_unwritable(value, name)
    try:
        return to_json(value)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ValidationError(f"{name!r} is not JSON: {error}") from error


class Decoder(Generic[ModelT]):
    """Makes a model of the values of a hash's fields, by one call of the validator on one JSON object.

    Attributes:
        fields: The fields of the hash that hold what users declared in the model, in the order of `decode`.
    """

    def __init__(self, model: type[ModelT]) -> None:
        marks = children_fields(model)
        names = user_fields(model)
        of_names = [results_field(marks[name].queue) if name in marks else name for name in names]
        # Behind them stands what the children were created with.
        specs = list(dict.fromkeys(specs_field(mark.queue) for mark in marks.values()))
        self.fields = (*of_names, *specs)
        self.results = tuple((at, marks[name]) for at, name in enumerate(names) if name in marks)
        self._specs = {mark.queue: len(names) + specs.index(specs_field(mark.queue)) for mark in marks.values()}
        self._names = names
        self._whole = _object_of(names, known=True)
        self._validate = model.__pydantic_validator__.validate_json

    def decode(self, values: Sequence[bytes | None], known: bytes = b"") -> ModelT:
        """Return the model; `known` are members of the JSON object that the kernel adds, and win over all others.

        Raises:
            pydantic.ValidationError: the values are not what the model declares, or are not JSON.
            ValueError: the results of children are not in the shape that the kernel writes.
        """
        if self.results:
            found = list(values)
            for at, mark in self.results:
                raw = found[at]
                found[at] = None if raw is None else pick_child(raw, mark, found[self._specs[mark.queue]])
            values = found[: len(self._names)]
        if known and None not in values:
            text = self._whole % (*values, known)
        else:
            present = [raw is not None for raw in values]
            form = _object_of(compress(self._names, present), known=bool(known))
            text = form % (*compress(values, present), *([known] if known else ()))
        try:
            decoded: ModelT = self._validate(text, by_alias=False, by_name=True)
        except PydanticValidationError as error:
            return self._without_unknown(text, error)
        return decoded

    def _without_unknown(self, text: bytes, error: PydanticValidationError) -> ModelT:
        """Return the model without what it does not declare: a newer release may have written that."""
        known = without_unknown(text, error)
        if known is None:
            raise error
        try:
            decoded: ModelT = self._validate(known, by_alias=False, by_name=True)
        except PydanticValidationError as further:
            return self._without_unknown(known, further)
        return decoded


def _object_of(names: Iterable[str], *, known: bool) -> bytes:
    """Return the form of a JSON object with these members, and at its end with those that the kernel knows."""
    members = [b'"%b":%%b' % name.encode() for name in names]
    return b"{" + b",".join([*members, b"%b"] if known else members) + b"}"


def decode(model: type[ModelT], fields: Mapping[str, bytes], known: bytes = b"") -> ModelT:
    """Return a `model` from the fields of a hash, as `Decoder.decode` does; others of its fields are ignored."""
    decoder: Decoder[ModelT] = _decoder(model)
    return decoder.decode([fields.get(name) for name in decoder.fields], known)


def kernel_fields(
    job_id: bytes, flow_name: bytes, attempt: int, correlation_id: bytes | None, priority: bytes | None = None
) -> bytes:
    """Return what the kernel knows of a job, as members of a JSON object; none of it needs escaping."""
    known = b'"id":"%b","flow_name":"%b","attempt":%d' % (job_id, flow_name, attempt)
    if priority is not None:
        known = b'%b,"priority":%b' % (known, priority)
    return known if correlation_id is None else b'%b,"correlation_id":%b' % (known, correlation_id)


def results_field(queue: str) -> str:
    """Return the field of a parent's hash that holds the results of its children in `queue`."""
    return f"children:{queue}:results"


def specs_field(queue: str) -> str:
    """Return the field of a parent's hash that says which children it has in `queue`, with their params."""
    return f"children:{queue}:params"


def pick_child(results: bytes, mark: ChildrenOf, specs: bytes | None = None) -> bytes:
    """Return the list of one child queue's results from those of all the parent's children.

    Args:
        results: Those of all.
        mark: Which child queue.
        specs: What the children were created from, in the same order; each then has its `params`.

    Raises:
        ValueError: the field is not a JSON object.
    """
    children: Any = from_json(results)
    if not isinstance(children, dict):
        raise ValueError(f"the results of {mark.queue!r} are not an object")  # noqa: TRY004 - it is the stored value that is wrong
    of_one: Any = children.get(mark.child, [])  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return to_json(of_one if specs is None else _with_params(of_one, mark.child, specs))


def _with_params(results: Any, child: str, specs: bytes) -> Any:
    """Return results with the params of each child; those of other children than were named have none."""
    try:
        params = [spec["params"] for spec in from_json(specs) if spec["child"] == child]
        if len(params) == len(results):
            return [{**of, "params": given} for of, given in zip(results, params, strict=True)]
    except (ValueError, TypeError, KeyError):
        return results  # edited by hand
    return results


def as_object(fields: Mapping[str, bytes]) -> bytes:
    """Return fields as one JSON object."""
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), raw) for name, raw in fields.items()) + b"}"


def _encode_checked(model: BaseModel, kind: type[BaseModel]) -> dict[str, bytes]:
    """Return the fields of a model some of whose values may come back as others, once it is seen that they do not."""
    names = user_fields(kind)
    try:
        written = model.__pydantic_serializer__.to_python(
            model, mode="json", by_alias=False, round_trip=True, warnings=False, include=_included(kind)
        )
        values = model.__dict__
        fields = {name: to_json(sorted_sets(values.get(name), written[name])) for name in names if name in written}
    except Exception as error:
        for name in names:
            refuse_unwritable(model.__dict__.get(name), name)
        raise ValidationError(f"{kind.__name__}{_unwritable(model, names)} is not JSON: {error}") from error
    if lost := [name for name in names if name not in fields]:
        raise ValidationError(
            f"{kind.__name__}.{lost[0]} is left out of what is written: a serializer reshapes the model, or the "
            "field is excluded or was not given"
        )
    decoder: Decoder[BaseModel] = _decoder(kind)
    if not decoder.results:
        check_arrival(model, fields, partial(decode, kind))
    return fields


def _unwritable(model: BaseModel, names: Iterable[str]) -> str:
    """Return which field cannot be written, as `.field`; nothing where it is the model as a whole."""
    for name in names:
        try:
            to_json(model.__pydantic_serializer__.to_python(model, mode="json", warnings=False, include={name}))
        except Exception:  # noqa: BLE001 - a serializer of the user's may raise anything
            return f".{name}"
    return ""


@cache
def _included(model: type[BaseModel]) -> set[str] | None:
    """Return the fields to serialise, without those of the kernel's own classes; None is quicker, and means all."""
    names = user_fields(model)
    return None if len(names) == len(model.model_fields) else set(names)


@cache
def _decoder(model: type[Any]) -> Decoder[Any]:
    return Decoder(model)
