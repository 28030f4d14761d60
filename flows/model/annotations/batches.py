"""Reads what functions of batches say that they take and return: lists, of which the items count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_origin

from flows.errors import DeclarationError
from flows.model.annotations.members import members
from flows.model.job import Job, JobResult
from flows.model.verdict import Verdict


def items_of(returned: Iterable[Any]) -> tuple[Any, ...]:
    """Return the types that a function returns, of lists those of their items; exceptions among them are no results."""
    found: list[Any] = []
    for member in returned:
        items = _items(member)
        found += [member] if items is None else [item for item in items if not _is_error(item)]
    return tuple(found)


def items_taken(queue: str, taken: Iterable[Any]) -> tuple[Any, ...]:
    """Return the types of the jobs in the list that the function of a batch takes.

    Raises:
        DeclarationError: it takes one job.
    """
    found: list[Any] = []
    for member in taken:
        items = _items(member)
        if items is None and isinstance(member, type) and issubclass(member, Job):
            raise DeclarationError(
                f"the worker function of queue {queue!r} takes one {member.__name__}: "
                f"with batch= it gets a list[{member.__name__}]"
            )
        found += [Any] if items is None else items
    return tuple(found)


def items_returned(queue: str, returned: Iterable[Any]) -> tuple[Any, ...]:
    """Return the types of the items that the function of a batch returns, but for exceptions.

    Raises:
        DeclarationError: it returns something else than a list.
    """
    listed = tuple(returned)
    for member in listed:
        if _items(member) is None and (member is type(None) or _is_one(member)):
            shown = "None" if member is type(None) else member.__name__
            raise DeclarationError(
                f"the worker function of queue {queue!r} returns {shown}: with batch= return a list with one item a job"
            )
    return items_of(listed)


def refuse_lists(queue: str, taken: Iterable[Any]) -> None:
    """Refuse a function that takes a list of jobs though it is to get one.

    Raises:
        DeclarationError: it does.
    """
    if any(_items(member) is not None for member in taken):
        raise DeclarationError(
            f"the worker function of queue {queue!r} takes a list of jobs: give batch=, how many at most"
        )


def _items(annotation: Any) -> tuple[Any, ...] | None:
    """Return the types of a list's items; None where the annotation is no list."""
    kind = get_origin(annotation) or annotation
    if not isinstance(kind, type) or kind in {str, bytes} or not issubclass(kind, Sequence):
        return None
    items = [item for item in get_args(annotation) if item is not Ellipsis]
    return tuple(member for item in items for member in members(item)) or (Any,)


def _is_error(item: Any) -> bool:
    return isinstance(item, type) and issubclass(item, BaseException) and not issubclass(item, Verdict)


def _is_one(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, (JobResult, Verdict))
