"""Checks of a flow's queues against each other: names, ways, limits, the results that they want, and cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from flows.errors import DeclarationError
from flows.model.annotations.children_results import is_results_type
from flows.model.annotations.completion import complete
from flows.model.annotations.declarer import warn_declarer
from flows.model.annotations.members import members
from flows.model.job import ChildrenOf, Job, children_fields, user_fields
from flows.model.names import MAX_DEPTH
from flows.model.queue_options import QueueOptions, check_queue, walk


def check_queues(flow: str, queues: Sequence[QueueOptions[Job]]) -> None:
    """Check that a flow has queues, each of them once, and that each of them leads to another one.

    Raises:
        DeclarationError: something does not fit; the message says what.
    """
    if not queues:
        raise DeclarationError(f"flow {flow!r} has no queues: give at least one")
    for queue in queues:
        check_queue(queue)
    names = [queue.name for queue in queues]
    for queue in queues:
        if names.count(queue.name) > 1:
            raise DeclarationError(f"flow {flow!r} declares the queue {queue.name!r} twice")
        if queue.next_queue is not None and queue.next_queue not in names:
            raise DeclarationError(
                f"queue {queue.name!r}: next_queue={queue.next_queue!r} is no queue of the flow; "
                f"they are {', '.join(names)}"
            )
        if queue.children and (queue.retries or queue.timeout):
            raise DeclarationError(
                f"{queue.name!r} is a parent queue, which runs no function: give retries and timeout to others"
            )
    _check_former_names(flow, queues)
    for full_name, _queue in walk(queues):
        if full_name.count(":") >= MAX_DEPTH:
            raise DeclarationError(f"queue {full_name!r} is nested too deeply: {MAX_DEPTH} levels at most")


def _check_former_names(flow: str, queues: Sequence[QueueOptions[Job]]) -> None:
    names = [queue.name for queue in queues]
    former = [name for queue in queues for name in queue.formerly]
    for queue in queues:
        if queue.children and queue.formerly:
            raise DeclarationError(
                f"{queue.name!r} is a parent queue, whose jobs and children bear its name: formerly= is for others, "
                "see docs/deploying.md"
            )
    for name in former:
        if name in names or former.count(name) > 1:
            raise DeclarationError(
                f"flow {flow!r}: formerly={name!r} is a queue that it still has, or is named twice: "
                "jobs could go to either"
            )


def check_shared(flow: str, queues: Sequence[QueueOptions[Job]]) -> None:
    """Check that queues which name the same limiter or slots declare the same, and that differences have an effect.

    Raises:
        DeclarationError: they do not; the message names the queues.
    """
    seen: dict[tuple[str, str], tuple[str, object]] = {}
    banded = False
    for name, queue in walk(queues):
        rules = queue.rules
        if rules is None:
            continue
        banded = banded or rules.priorities > 1
        shared: list[tuple[tuple[str, str], object]] = [
            (("limiter", of.id), (of.reservoir, of.interval, of.smooth, of.group_key is not None))
            for of in rules.limiters
            if of.id is not None
        ]
        if rules.shared_slots is not None:
            shared.append((("slots", rules.shared_slots), rules.slots))
        for (kind, shared_id), values in shared:
            other, others = seen.setdefault((kind, shared_id), (name, values))
            if others != values:
                raise DeclarationError(
                    f"flow {flow!r}: the queues {other!r} and {name!r} declare the {kind} {shared_id!r} with different "
                    "values: declare it once and name it in both"
                )
    if not banded:
        for name, queue in walk(queues):
            if queue.next_queue_priority_diff:
                raise DeclarationError(
                    f"queue {name!r}: next_queue_priority_diff={queue.next_queue_priority_diff}, and no queue of flow "
                    f"{flow!r} has priorities"
                )


def check_groups(queues: Sequence[QueueOptions[Job]], params: type[BaseModel]) -> None:
    """Check that what queues are grouped by are fields that their jobs are created with, each a str or an int.

    Raises:
        DeclarationError: there is no such field, or it has another type.
    """
    for name, queue in walk(queues):
        if queue.rules is None or queue.rules.group is None:
            continue
        model = queue.job if ":" in name else params
        field = queue.rules.group
        if field not in user_fields(model):
            raise DeclarationError(
                f"queue {name!r} is grouped by {field!r}, which is no field of {model.__name__}; "
                f"its fields are {', '.join(user_fields(model)) or 'none'}"
            )
        if not _is_group(model.model_fields[field].annotation):
            raise DeclarationError(
                f"queue {name!r} is grouped by {model.__name__}.{field}: declare that a str or an int, or one of these "
                "or None"
            )


def check_results(queues: Sequence[QueueOptions[Job]]) -> None:
    """Check the fields of job classes that hold the results of children: of which children, and of what type.

    Raises:
        DeclarationError: there is no such parent queue, or it has no such child queue; or the field has another type,
            or does not say of which children.
    """
    parents = {full_name: {child.name for child in queue.children} for full_name, queue in walk(queues)}
    known = [(name, child) for name, children in parents.items() for child in sorted(children)]
    for full_name, queue in walk(queues):
        complete(queue.job)  # a field whose type is not there yet has no marks
        marks = children_fields(queue.job)
        for field in user_fields(queue.job):
            where = f"{queue.job.__name__}.{field} of queue {full_name!r}"
            annotation = queue.job.model_fields[field].annotation
            fits = is_results_type(annotation) or not queue.job.__pydantic_complete__
            if field in marks:
                _check_marked(where, marks[field], parents, annotation, fits=fits)
            elif known and is_results_type(annotation):
                example = 'ChildrenOf("{}", "{}")'.format(*known[0])
                raise DeclarationError(
                    f"{where} is a list of ChildResult and does not say of which children: "
                    f"write Annotated[list[ChildResult[…]], {example}]"
                )


def _check_marked(
    where: str, mark: ChildrenOf, parents: Mapping[str, set[str]], annotation: object, *, fits: bool
) -> None:
    if mark.child not in parents.get(mark.queue, ()):
        raise DeclarationError(
            f"{where} wants the results of the child {mark.child!r} of {mark.queue!r}, which the flow does not declare"
        )
    if not fits:
        raise DeclarationError(
            f"{where} holds the results of children: its type is list[ChildResult[…]], not {annotation!r}"
        )


def warn_of_endless_cycle(flow: str, queues: Sequence[QueueOptions[Job]]) -> None:
    """Warn where the way from the first queue comes back to a queue that it has passed."""
    following = {queue.name: queue.next_queue for queue in queues}
    path: list[str] = []
    name: str | None = queues[0].name
    while name is not None:
        if name in path:
            cycle = " → ".join([*path[path.index(name) :], name])
            warn_declarer(f"flow {flow!r}: {cycle} has no end unless a worker function returns next_queue")
            return
        path.append(name)
        name = following[name]


def _is_group(declared: Any) -> bool:
    kinds = [kind for kind in members(declared) if kind not in {None, type(None)}]
    return bool(kinds) and all(map(_is_text_or_number, kinds))


def _is_text_or_number(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        values = get_args(kind)
        return all(isinstance(value, (str, int)) and not isinstance(value, bool | Enum) for value in values)
    return isinstance(kind, type) and issubclass(kind, (str, int)) and kind is not bool
