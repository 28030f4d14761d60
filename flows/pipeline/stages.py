"""Holds the queues of a flow against each other: whether what earlier functions return is what later classes need.

Nothing is said of a queue before which there is a function that is not here, or does not say what it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.errors import DeclarationError
from flows.model.annotations.children_results import result_class_of
from flows.model.annotations.declarer import warn_declarer
from flows.model.codec import results_field
from flows.model.job import children_fields, user_fields
from flows.pipeline.named_queues import named_queues
from flows.pipeline.worker_function import returned_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flows.kernel.worker import Worker
    from flows.pipeline.declaration import Declaration


def check_stages(declaration: Declaration, workers: Iterable[Worker]) -> None:
    """Check the way of jobs through a flow, as far as the worker functions in this process say it.

    Args:
        declaration: The flow.
        workers: The flow's workers in this process.

    Raises:
        DeclarationError: a job class needs a field that nothing before its queue writes, or of children's results what
            the function of the children does not return.
    """
    functions: dict[str, list[Callable[..., Any]]] = {}
    for worker in workers:
        if worker.function is not None:
            functions.setdefault(worker.queue, []).append(worker.function)
    stages = _Stages(declaration, functions)
    for queue in stages.reached:
        stages.check_fields(queue)
    stages.check_results()
    stages.warn_of_strays()


class _Stages:
    """The queues of a flow, which leads to which, and what the functions here say that they return."""

    def __init__(self, declaration: Declaration, functions: dict[str, list[Callable[..., Any]]]) -> None:
        self._options = {queue.name: queue for queue in declaration.options.queues}
        self._plans = declaration.plans
        self._first = declaration.options.queues[0].name
        self._params = set(user_fields(declaration.params))
        self._functions = functions
        self._next: dict[str, set[str]] = {queue: self._following(queue) for queue in self._options}
        self._before: dict[str, set[str]] = {queue: set() for queue in self._options}
        for queue, following in self._next.items():
            for one in following:
                self._before[one].add(queue)
        #: What the functions of a queue say that they return, where that was asked before.
        self._known: dict[str, set[str] | None] = {}
        self.reached = self._reach([self._first])

    def check_fields(self, queue: str) -> None:
        """Check that the fields which a queue's class needs are written before a job first comes there."""
        if queue == self._first:
            return  # checked when the flow was declared
        strays = [one for one in self._options if one not in self.reached]  # a way to them may have been overlooked
        leads_here = _walk([queue], self._before)
        written = [
            self._written(one) for one in self._reach([self._first, *strays], without=queue) if one in leads_here
        ]
        if any(fields is None for fields in written):
            return
        have = self._params.union(*(fields or () for fields in written))
        job = self._options[queue].job
        marks = children_fields(job)
        needed = [name for name in user_fields(job) if job.model_fields[name].is_required()]
        missing = [name for name in needed if name not in marks and name not in have]
        if missing:
            raise DeclarationError(
                f"{job.__name__} of queue {queue!r} needs {', '.join(missing)}, which no queue before it returns; "
                f"they return {', '.join(sorted(name for name in have if ':' not in name)) or 'nothing'}"
            )
        for name in needed:
            if name in marks and marks[name].queue in self._options and results_field(marks[name].queue) not in have:
                raise DeclarationError(
                    f"{job.__name__}.{name} of queue {queue!r} wants the results of the children of "
                    f"{marks[name].queue!r}, and no job passes that queue before"
                )

    def check_results(self) -> None:
        """Check that the functions of children return what those read who want their results."""
        for full_name, plan in self._plans.items():
            for name, mark in children_fields(plan.options.job).items():
                child = f"{mark.queue}:{mark.child}"
                returned = self._returned(child)
                wanted = result_class_of(plan.options.job.model_fields[name].annotation)
                if returned is None or wanted is None:
                    continue
                missing = [field for field in user_fields(wanted) if wanted.model_fields[field].is_required()]
                missing = [field for field in missing if field not in returned]
                if missing and returned:  # a function that returns nothing leaves no result to be read
                    raise DeclarationError(
                        f"{plan.options.job.__name__}.{name} of queue {full_name!r} reads the results of {child!r} as "
                        f"{wanted.__name__}, which needs {', '.join(missing)}; its function returns "
                        f"{', '.join(sorted(returned))}"
                    )

    def warn_of_strays(self) -> None:
        """Warn of queues to which no way leads: most often a `next_queue` was forgotten."""
        if any(not self._functions.get(queue) and not self._options[queue].children for queue in self.reached):
            return
        left: list[str] = [queue for queue in self._options if queue not in self.reached]
        while left:
            led_to = {one for other in left for one in self._next[other] - {other}}
            first = next((one for one in left if one not in led_to), left[0])
            warn_declarer(
                f"no next_queue leads to {first!r}: it gets a job only if a function returns next_queue={first!r}"
            )
            behind = self._reach([first])
            left = [queue for queue in left if queue not in behind]

    def _returned(self, queue: str) -> set[str] | None:
        """Return the fields that the functions of a queue say they return; None where one does not, or none is here."""
        if queue not in self._known:
            returned = [returned_fields(function) for function in self._functions.get(queue, ())]
            unsaid = not returned or any(fields is None for fields in returned)
            self._known[queue] = None if unsaid else set[str]().union(*(fields or () for fields in returned))
        return self._known[queue]

    def _written(self, queue: str) -> set[str] | None:
        return {results_field(queue)} if self._options[queue].children else self._returned(queue)

    def _following(self, queue: str) -> set[str]:
        """Return the queues to which jobs go from here: the next one, and those that a function names in a result."""
        options = self._options[queue]
        following: set[str] = set() if options.next_queue is None else {options.next_queue}
        for function in self._functions.get(queue, ()):
            following |= named_queues(function, self._options)
        return following

    def _reach(self, queues: Iterable[str], without: str = "") -> dict[str, None]:
        """Return the queues to which jobs come from these, which are the first of them."""
        return _walk(queues, self._next, without)


def _walk(queues: Iterable[str], ways: dict[str, set[str]], without: str = "") -> dict[str, None]:
    """Return the queues to which ways lead from these, which are the first of them, in order."""
    found = dict.fromkeys(queues)
    left = list(found)
    for queue in left:
        new = [one for one in sorted(ways[queue]) if one not in found and one != without]
        found.update(dict.fromkeys(new))
        left += new
    return found
