"""What a worker function says that it takes and returns, held against its queue."""

from __future__ import annotations

import collections.abc
import inspect
from typing import TYPE_CHECKING, Any, get_args, get_origin, is_typeddict

from flows.errors import DeclarationError
from flows.model.annotations.batches import items_of, items_returned, items_taken, refuse_lists
from flows.model.annotations.completion import require_complete
from flows.model.annotations.functions import has_borrowed_annotations, names_of
from flows.model.annotations.members import members, resolved
from flows.model.annotations.signatures import signature_of
from flows.model.job import Job, JobResult, user_fields
from flows.model.values.lossy import refuse_lossy
from flows.model.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from flows.model.plan import QueuePlan

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)


def check_worker_function(plan: QueuePlan, function: Callable[..., Any], *, batch: int | None = None) -> None:
    """Check what a worker function says that it takes and returns, where it says so.

    What is no subclass of `Job` (a protocol, `Any`, a model, an unknown name) is no reason to refuse it.

    Args:
        plan: The queue's.
        function: The function.
        batch: How many jobs it takes at most; None: one, and not in a list.

    Raises:
        DeclarationError: it takes another queue's job, what it returns is no result, a class that it returns has a
            field whose type is not there, or a field that it returns cannot be saved to the job; it takes lists and
            no `batch` is given, or the other way round.
    """
    jobs, returned = members(_taken(function)), _returned(function)
    if batch is not None:
        jobs, returned = items_taken(plan.queue, jobs), items_returned(plan.queue, returned)
    else:
        refuse_lists(plan.queue, jobs)
    taken = [(member, _fits(plan.options.job, member)) for member in jobs]
    others = [member for member, fits in taken if fits is False]
    if others and not any(fits for _member, fits in taken):
        raise DeclarationError(
            f"the worker function takes a {others[0].__name__}, "
            f"but the jobs of queue {plan.queue!r} are {plan.options.job.__name__}"
        )
    for result in returned:
        if not (isinstance(result, type) and issubclass(result, JobResult)):
            if _is_no_result(result):
                raise DeclarationError(
                    f"the worker function of queue {plan.queue!r} returns {_shown(result)}: return a JobResult or None"
                )
            continue
        require_complete(result)
        refuse_lossy(result)
        renamed = plan.params_fields.intersection(user_fields(result))
        if renamed:
            raise DeclarationError(
                f"{result.__name__}, a result of queue {plan.queue!r}, names fields of Params "
                f"({', '.join(sorted(renamed))}), which never change: rename them"
            )


def returned_fields(function: Callable[..., Any]) -> set[str] | None:
    """Return the fields of all results that a function says it returns.

    None where it does not say which, or says that it returns verdicts only: no job goes on from it.
    """
    fields: set[str] = set()
    returned = items_of(_returned(function))
    if all(isinstance(member, type) and issubclass(member, Verdict) for member in returned):
        return None
    for member in returned:
        if not isinstance(member, type) or member is JobResult:
            return None
        if issubclass(member, JobResult):
            fields.update(user_fields(member))
        elif not issubclass(member, (Verdict, type(None))):
            return None
    return fields


def returned_results(function: Callable[..., Any]) -> list[type[JobResult]]:
    """Return the classes of result that a function says it returns, as far as it does."""
    returned = items_of(_returned(function))
    return [one for one in returned if isinstance(one, type) and issubclass(one, JobResult) and one is not JobResult]


def _returned(function: Callable[..., Any]) -> tuple[Any, ...]:
    """Return the types that a function says it returns, or brings when awaited; Any where it does not say."""
    try:
        annotation = signature_of(function).return_annotation
    except Exception:  # noqa: BLE001 - a builtin has none, and annotations are user code
        return (Any,)
    if annotation is inspect.Signature.empty or has_borrowed_annotations(function):
        return (Any,)
    return tuple(_brought(resolved(annotation, names_of(function))))


def _is_no_result(returned: Any) -> bool:
    """Return whether a type is for certain none of what a worker function may return."""
    kind = get_origin(returned) or returned
    if not isinstance(kind, type) or Any in kind.__mro__ or getattr(kind, "_is_protocol", False):
        return False
    try:
        # What stands above a result or a verdict (`object`, `BaseModel`) may be one, and an awaitable may bring one.
        return not (
            issubclass(kind, (JobResult, Verdict, type(None), collections.abc.Awaitable))
            or issubclass(JobResult, kind)
            or issubclass(Verdict, kind)
        )
    except TypeError:  # a TypedDict is none, and cannot be asked
        return is_typeddict(returned)


def _shown(returned: Any) -> str:
    return returned.__name__ if isinstance(returned, type) else repr(returned)


def _taken(function: Callable[..., Any]) -> Any:
    """Return the annotation of the first parameter, Any where there is none."""
    try:
        parameters = signature_of(function).parameters.values()
    except Exception:  # noqa: BLE001 - a builtin has none, and annotations are user code
        return Any
    first = next((parameter for parameter in parameters if parameter.kind in _POSITIONAL), None)
    if first is None or first.annotation is inspect.Parameter.empty or has_borrowed_annotations(function):
        return Any
    return resolved(first.annotation, names_of(function))


def _fits(job: type[Job], member: Any) -> bool | None:
    """Return whether a queue's job can be given for a type; None where a type says nothing of that."""
    if not isinstance(member, type) or not issubclass(member, Job):
        try:
            return issubclass(job, member) or None
        except Exception:  # noqa: BLE001 - Any, a protocol, something generic
            return True
    # Parametrised generic models are classes of their own, none of which descends from another.
    return issubclass(_origin(job), _origin(member))


def _origin(model: type[BaseModel]) -> type[BaseModel]:
    origin: type[BaseModel] = model.__pydantic_generic_metadata__["origin"] or model
    return origin


def _brought(annotation: Any) -> Iterator[Any]:
    """Yield the members of what a function returns: of an awaitable, those of what it brings."""
    for member in members(annotation):
        origin = get_origin(member)
        if isinstance(origin, type) and issubclass(origin, collections.abc.Awaitable) and get_args(member):
            yield from _brought(get_args(member)[-1])
        else:
            yield member
