"""What a flow was declared with, checked as a whole: `Flow[Job, Params, LookupKeys]` and its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from flows.errors import DeclarationError, ValidationError
from flows.model.annotations.completion import require_complete
from flows.model.annotations.declarer import names_of_declarer
from flows.model.annotations.members import literals, members, plain, resolved
from flows.model.job import Job, JobResult, user_fields
from flows.model.plan import QueuePlan, plans
from flows.model.queue_checks import check_groups, check_results
from flows.model.values.lookup import is_listable, lookup_text
from flows.model.values.lossy import refuse_lossy

if TYPE_CHECKING:
    from flows.model.flow_options import FlowOptions


@dataclass(frozen=True)
class Declaration:
    """A flow's declaration, known to be consistent."""

    options: FlowOptions[Job, str]
    params: type[BaseModel]
    plans: dict[str, QueuePlan]
    """The plan of each queue and child queue, by full name."""

    def plan_of(self, queue: type[Job] | str) -> QueuePlan:
        """Return the plan of a queue, named by its job class or its full name.

        Raises:
            DeclarationError: there is none, or the class stands for more than one.
        """
        if isinstance(queue, str):
            if queue not in self.plans:
                raise DeclarationError(
                    f"flow {self.options.name!r} has no queue {queue!r}; it has {', '.join(self.plans)}"
                )
            return self.plans[queue]
        found = [plan for name, plan in self.plans.items() if ":" not in name and plan.options.job is queue]
        of_children = [name for name, plan in self.plans.items() if plan.options.job is queue]
        if not found and of_children:
            parent, _, child = of_children[0].rpartition(":")
            raise DeclarationError(
                f"{queue.__name__} is the job class of {child!r}, a child queue of {parent!r}: "
                "use create_child_workers(parent, child, function), or child_worker"
            )
        return self._only(found, queue, f"flow {self.options.name!r}")

    def child_plan_of(self, parent: QueuePlan, child: type[Job] | str) -> QueuePlan:
        """Return the plan of a parent's child queue, named by its job class or its own name.

        Raises:
            DeclarationError: the parent has no such child.
        """
        children = [self.plans[f"{parent.queue}:{options.name}"] for options in parent.options.children]
        found = [plan for plan in children if child in (plan.options.name, plan.options.job)]
        return self._only(found, child, f"queue {parent.queue!r}")

    def queue_of(self, queue: type[Job] | str) -> str:
        """Return the full name of the queue, or the child queue, that a job class or a name stands for.

        Raises:
            DeclarationError: it stands for none, or a class for several; the message names those there are.
        """
        if isinstance(queue, str):
            found = [queue] if queue in self.plans else []
        else:
            found = [name for name, plan in self.plans.items() if plan.options.job is queue]
        if len(found) == 1:
            return found[0]
        what = getattr(queue, "__name__", repr(queue))
        if found:
            raise DeclarationError(f"{what} is the job class of several queues: name one of {', '.join(found)}")
        raise DeclarationError(
            f"flow {self.options.name!r} has no queue {what}; it has {', '.join(self.plans)}: give a class or a name"
        )

    def looked_up(self, attribute: object, value: object) -> str:
        """Return the text by which the jobs with this value of a lookup attribute are listed.

        Raises:
            ValidationError: there is no such lookup attribute, or its jobs are not listed by such a value.
        """
        attributes = tuple(self.options.lookup_attributes)
        if attribute not in attributes:
            known = f"it has {', '.join(attributes)}" if attributes else "it has none"
            raise ValidationError(
                f"flow {self.options.name!r} has no lookup attribute {attribute!r}; {known}: "
                "declare lookup_attributes=[…]"
            )
        text = lookup_text(value)
        if text is None:
            raise ValidationError(
                f"{attribute!r} cannot be looked up by a {type(value).__name__}: give a str, int, float, UUID, Enum, "
                "date, datetime, Decimal or URL"
            )
        return text

    def _only(self, found: list[QueuePlan], wanted: type[Job] | str, where: str) -> QueuePlan:
        name = wanted if isinstance(wanted, str) else getattr(wanted, "__name__", repr(wanted))
        if not found:
            raise DeclarationError(f"{where} has no queue for {name}: declare it in its options")
        if len(found) > 1:
            names = ", ".join(plan.queue for plan in found)
            raise DeclarationError(f"{name} is the job class of several queues ({names}): name the queue instead")
        return found[0]


def declare(options: FlowOptions[Any, Any], declared: tuple[Any, ...]) -> Declaration:
    """Return a flow's declaration: its options, checked against its type arguments.

    Raises:
        DeclarationError: something does not fit; the message says what.
    """
    if not declared:
        raise DeclarationError(
            f"flow {options.name!r}: write Flow[Job, Params, LookupKeys](options), so that params are validated"
        )
    jobs, params, *keys = map(plain, declared)
    if not (isinstance(params, type) and issubclass(params, BaseModel)):
        raise DeclarationError(f"flow {options.name!r}: Params is {params!r}, not a pydantic model")
    if issubclass(params, (Job, JobResult)):
        raise DeclarationError(
            f"flow {options.name!r}: {params.__name__} is a job or result class; Params is a plain pydantic model"
        )
    for model in (params, *(queue.job for _name, queue in options.walk())):
        require_complete(model)
    refuse_lossy(params)
    check_results(options.queues)
    _check_jobs(options, members(resolved(jobs, names_of_declarer())))
    _check_first(options, params)
    _check_keys(options, params, keys)
    check_groups(options.queues, params)
    return Declaration(options, params, plans(options, params))


def wrong_arguments(name: str, given: tuple[Any, ...], error: TypeError) -> str:
    """Return what is wrong with type arguments that Python refuses for a flow."""
    shown = ", ".join(getattr(argument, "__name__", repr(argument)) for argument in given)
    why = "Params is missing" if len(given) == 1 else str(error)
    return f"{name}[{shown}]: {why}; write {name}[Job, Params, LookupKeys], or {name}[Job, Params] without lookups"


def _check_jobs(options: FlowOptions[Job, str], members: tuple[Any, ...]) -> None:
    for queue in options.queues:
        if not any(isinstance(member, type) and issubclass(queue.job, member) for member in members):
            names = ", ".join(getattr(member, "__name__", repr(member)) for member in members)
            raise DeclarationError(
                f"queue {queue.name!r} has the job class {queue.job.__name__}, which is not among the flow's ({names})"
            )


def _check_first(options: FlowOptions[Job, str], params: type[BaseModel]) -> None:
    """Check that the first queue's class needs nothing but what jobs are created with."""
    first = options.queues[0]
    have = user_fields(params)
    for name in user_fields(first.job):
        if first.job.model_fields[name].is_required() and name not in have:
            raise DeclarationError(
                f"{first.job.__name__}.{name} of the first queue {first.name!r} is no field of {params.__name__}: "
                "nothing could have written it"
            )


def _check_keys(options: FlowOptions[Job, str], params: type[BaseModel], keys: list[Any]) -> None:
    fields = user_fields(params)
    for attribute in options.lookup_attributes:
        if attribute not in fields:
            raise DeclarationError(
                f"lookup attribute {attribute!r} is no field of {params.__name__}; "
                f"its fields are {', '.join(fields) or 'none'}"
            )
        if not is_listable(params.model_fields[attribute].annotation):
            raise DeclarationError(
                f"lookup attribute {attribute!r}: no value of {params.__name__}.{attribute} is ever listed; declare a "
                "str, int, float, UUID, Enum, date, datetime, Decimal or URL, or a list, tuple or set of those"
            )
    typed = {key for argument in keys for key in literals(argument)}
    if keys and keys[0] is not str and typed != set(options.lookup_attributes):
        wrong = ", ".join(sorted(typed ^ set(options.lookup_attributes)))
        raise DeclarationError(f"flow {options.name!r}: LookupKeys and lookup_attributes differ in {wrong}")
