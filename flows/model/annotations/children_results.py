"""The types of the fields that hold the results of children, `list[ChildResult[X]]`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, get_args, get_origin

from flows.model.annotations.members import members
from flows.model.job import ChildResult, JobResult

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_results_type(annotation: Any) -> bool:
    """Return whether a field of this type holds the results of children: a list of `ChildResult[…]`, or None."""
    lists = [member for member in members(annotation) if member is not type(None)]
    return bool(lists) and all(
        _is_listing(one) and all(_is_result(part) for part in get_args(one) if part is not Ellipsis) for one in lists
    )


def result_class_of(annotation: Any) -> type[JobResult] | None:
    """Return the `X` of such a type; None where it does not say."""
    for one in members(annotation):
        for part in get_args(one):
            if _is_result(part):
                return next(_result_classes(part), None)
    return None


def _is_listing(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Collection) and not issubclass(origin, Mapping)


def _is_result(part: Any) -> bool:
    return all(isinstance(one, type) and issubclass(one, ChildResult) for one in members(part))


def _result_classes(part: type[ChildResult[Any]]) -> Iterator[type[JobResult]]:
    for one in members(part.model_fields["result"].annotation):
        if isinstance(one, type) and issubclass(one, JobResult):
            yield one
