"""Turns what an attempt in one queue returned into its outcome, which says where the job goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.codec import encode, results_field
from flows.model.creation.children import RULED, check_count, child_specs, new_children
from flows.model.encoded_result import EncodedResult, name_of
from flows.model.job import ChildJob, JobResult, user_fields
from flows.model.limits.given import rule_number
from flows.model.limits.rules import next_priority
from flows.model.outcome import Advance, AwaitChildren, Fields, Finish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.model.limits.rules import Rules
    from flows.model.outcome import Outcome
    from flows.model.queue_options import QueueOptions

OutcomeT = TypeVar("OutcomeT", bound="Outcome")


class WrongResult(ValidationError):
    """A worker function returned what is no result: its job fails at once, whatever `retries` says."""

    def __init__(self, returned: object) -> None:
        super().__init__(f"the worker function returned {type(returned).__name__}: return a JobResult or None")


@dataclass(frozen=True)
class QueuePlan:
    """One queue's place in its flow."""

    queue: str
    """The queue's full name."""
    options: QueueOptions[Job]
    queues: Mapping[str, QueueOptions[Job]]
    """The flow's own queues, which alone a job can be sent to."""
    params_fields: frozenset[str]
    """The names of what a job was created with, which never changes."""
    max_payload: int

    @property
    def child_classes(self) -> list[type[Job]]:
        """The job classes of all children that a function may name: those of the flow, and of the queue's own."""
        queues = [self.options, *self.queues.values()]
        classes: list[type[Job]] = []
        while queues:
            children = queues.pop().children
            classes += [child.job for child in children]
            queues += children
        return classes

    def outcome(self, result: JobResult | None) -> Advance | Finish:
        """Return the outcome of an attempt whose function returned `result`.

        Raises:
            ValidationError: the result cannot be saved; nothing of it is.
        """
        if result is None:
            to = self.options.next_queue
            return Finish({}, returned=False) if to is None else Advance(to, {})
        if not isinstance(result, JobResult):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise WrongResult(result)
        if self.options.shared and (result.next_queue is not None or result.children):
            raise ValidationError(
                f"queue {self.queue!r} is shared, so its result names neither next_queue nor children: "
                "where a job goes, its own flow says"
            )
        to = self._next_queue(result)
        fields = self._fields(result)
        if result.children:
            check_count(result.children)
            parent, options = self._next_parent(to, result.children)
            fields[f"children:{parent}:params"] = child_specs(result.children, options)
        self._check_size(fields)
        # A bare JobResult names a queue or children, and is no result of its own.
        return Finish(fields, returned=type(result) is not JobResult) if to is None else Advance(to, fields)

    def own_children(self, result: JobResult, job_id: str) -> AwaitChildren | None:
        """Return the outcome of a child queue's function that names children of its own queue, if it does.

        Raises:
            ValidationError: the result cannot be saved, or a child is not what its class declares.
        """
        if not result.children or not self.options.children:
            return None
        check_count(result.children)
        specs: list[Any] = from_json(child_specs(result.children, self.options))
        fields = self._fields(result)
        self._check_size(fields)
        return AwaitChildren(new_children(self.queue, specs, job_id), None, fields, self.options.on_child_failure)

    def fan_out(self, job_id: str, specs: bytes | None) -> AwaitChildren | Advance | Finish:
        """Return the outcome of a parent: to await the children that its hash names, or to go straight on.

        Raises:
            ValidationError: the field does not hold what the kernel writes.
        """
        children = new_children(self.queue, [] if specs is None else from_json(specs), job_id)
        unknown = {child.child for child in children}.difference(child.name for child in self.options.children)
        named = set[str]().union(*(child.fields for child in children)) - RULED
        if unknown or any(name[0] == "_" for name in named):
            queues = ", ".join(map(repr, sorted(unknown or {child.child for child in children})))
            raise ValidationError(f"queue {self.queue!r} has no child queue {queues} (any more), or no such params")
        if children:
            policy = self.options.on_child_failure
            return AwaitChildren(children, self.options.next_queue, {}, policy)
        nothing = b"{" + b",".join(b'"%b":[]' % child.name.encode() for child in self.options.children) + b"}"
        fields: Fields = {results_field(self.queue): nothing}
        to = self.options.next_queue
        return Finish(fields, returned=False) if to is None else Advance(to, fields)

    @cached_property
    def _rules(self) -> Mapping[str, Rules | None]:
        return {name: queue.rules for name, queue in self.queues.items()}

    @cached_property
    def _own_rules(self) -> Rules | None:
        return self.options.rules

    def passed_on(self, outcome: OutcomeT, priority: bytes | None) -> OutcomeT:
        """Return an outcome that gives the job its priority in the next queue, where that is to be another one.

        From a shared queue, the script that passes the job on does it: the next queue is that of the job's own flow.
        """
        if self._own_rules is None or not self._own_rules.diff or not isinstance(outcome, (Advance, AwaitChildren)):
            return outcome
        if self.options.shared:
            return outcome
        to = outcome.queue if isinstance(outcome, Advance) else outcome.next_queue
        before = rule_number(priority)
        after = before if to is None else next_priority(before, self._own_rules, self._rules[to])
        if after != before:
            outcome.fields["_priority"] = b"%d" % after
        return outcome

    def _next_queue(self, result: JobResult) -> str | None:
        to = result.next_queue or self.options.next_queue
        if to is not None and to not in self.queues:
            known = f"those are {', '.join(self.queues)}" if self.queues else "a child goes to no other queue"
            raise ValidationError(f"next_queue={to!r} is no queue of the flow: {known}")
        return to

    def _fields(self, result: JobResult) -> Fields:
        fields = result.encoded if type(result) is EncodedResult else encode(result)
        if not self.params_fields.isdisjoint(fields):
            taken = self.params_fields & fields.keys()
            names = ", ".join(sorted(taken))
            raise ValidationError(
                f"{name_of(result)} names fields of Params ({names}), which never change: rename them"
            )
        return fields

    def _check_size(self, fields: Fields) -> None:
        size = sum(map(len, fields.values()))
        if size > self.max_payload:
            raise PayloadTooLarge(
                f"the result takes {size:,} bytes, over max_payload={self.max_payload:,}: "
                "store large data elsewhere and return where it is"
            )

    def _next_parent(self, to: str | None, children: Sequence[ChildJob]) -> tuple[str, QueueOptions[Job]]:
        """Return the next parent queue on the job's way, where the children will be created."""
        passed: set[str] = set()
        while to is not None and to not in passed:
            options = self.queues[to]
            if options.children:
                return to, options
            passed.add(to)
            to = options.next_queue
        raise ValidationError(
            f"the result names {len(children)} children, but no parent queue comes after {self.queue!r}"
        )


def plans(options: FlowOptions[Job, str], params: type[BaseModel]) -> dict[str, QueuePlan]:
    """Return the plan of each queue and child queue, by full name."""
    queues = {queue.name: queue for queue in options.queues}
    fields = frozenset(user_fields(params))
    return {
        full_name: QueuePlan(
            full_name,
            queue,
            queues if ":" not in full_name else {},
            fields if ":" not in full_name else frozenset(user_fields(queue.job)),
            options.max_payload,
        )
        for full_name, queue in options.walk()
    }
