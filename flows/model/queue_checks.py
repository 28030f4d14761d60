"""Checks of a flow's queues against each other: names, ways, the results that they want, and cycles."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from flows.errors import DeclarationError, DeclarationWarning
from flows.model.completion import complete
from flows.model.job import Job, children_fields
from flows.model.names import MAX_DEPTH
from flows.model.queue_options import QueueOptions, walk


def check_queues(flow: str, queues: Sequence[QueueOptions[Job]]) -> None:
    """Check that a flow has queues, each of them once, and that each of them leads to another one.

    Raises:
        DeclarationError: something does not fit; the message says what.
    """
    if not queues:
        raise DeclarationError(f"flow {flow!r} has no queues: give at least one")
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
    for full_name, _queue in walk(queues):
        if full_name.count(":") >= MAX_DEPTH:
            raise DeclarationError(f"queue {full_name!r} is nested too deeply: {MAX_DEPTH} levels at most")


def check_results(queues: Sequence[QueueOptions[Job]]) -> None:
    """Check that the children whose results a job class wants are declared.

    Raises:
        DeclarationError: there is no such parent queue, or it has no such child queue.
    """
    parents = {full_name: {child.name for child in queue.children} for full_name, queue in walk(queues)}
    for full_name, queue in walk(queues):
        complete(queue.job)  # a field whose type is not there yet has no marks
        for field, mark in children_fields(queue.job).items():
            if mark.child not in parents.get(mark.queue, ()):
                raise DeclarationError(
                    f"{queue.job.__name__}.{field} of queue {full_name!r} wants the results of the child "
                    f"{mark.child!r} of {mark.queue!r}, which the flow does not declare"
                )


def warn_of_endless_cycle(flow: str, queues: Sequence[QueueOptions[Job]], stacklevel: int) -> None:
    """Warn where the way from the first queue comes back to a queue that it has passed.

    Args:
        flow: The flow's name.
        queues: Its queues.
        stacklevel: As for `warnings.warn`, counted from the caller: the warning points at the declaration.
    """
    following = {queue.name: queue.next_queue for queue in queues}
    path: list[str] = []
    name: str | None = queues[0].name
    while name is not None:
        if name in path:
            cycle = " → ".join([*path[path.index(name) :], name])
            warnings.warn(
                f"flow {flow!r}: {cycle} has no end unless a worker function returns next_queue",
                DeclarationWarning,
                stacklevel=stacklevel + 1,
            )
            return
        path.append(name)
        name = following[name]
