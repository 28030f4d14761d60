"""Turns what an attempt in one queue returned into its outcome, which says where the job goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json, to_json

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.codec import as_object, decode, encode, encode_value, results_field
from flows.model.encoded_result import EncodedResult, name_of
from flows.model.ids import new_child_id, new_job_id
from flows.model.job import ChildJob, JobResult, user_fields
from flows.model.outcome import Advance, AwaitChildren, Fields, Finish, NewChild
from flows.model.values.plain import is_json
from flows.model.values.unreadable import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.model.queue_options import QueueOptions

#: A parent may have so many children.
CHILDREN_LIMIT = 10_000
#: The id of each child while its params are looked at, since its class would make one for it.
_KNOWN = b'"id":"%b"' % new_job_id().encode()


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
        declared = {child.name for child in self.options.children}
        for child in children:
            if child.child not in declared or any(name.startswith("_") for name in child.fields):
                raise ValidationError(
                    f"queue {self.queue!r} has no child queue {child.child!r} (any more), or no such params"
                )
        if children:
            policy = self.options.on_child_failure
            return AwaitChildren(children, self.options.next_queue, {}, policy)
        nothing = b"{" + b",".join(b'"%b":[]' % child.name.encode() for child in self.options.children) + b"}"
        fields: Fields = {results_field(self.queue): nothing}
        to = self.options.next_queue
        return Finish(fields, returned=False) if to is None else Advance(to, fields)

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


def child_specs(children: Sequence[ChildJob], parent: QueueOptions[Job]) -> bytes:
    """Return children as they stand in `children:<queue>:params`, a JSON list, each validated against its class.

    Raises:
        ValidationError: the parent has no such child queue, or the params are not what its class declares.
    """
    return b"[" + b",".join(_child_spec(child, parent) for child in children) + b"]"


def _child_spec(child: ChildJob, parent: QueueOptions[Job]) -> bytes:
    options = _child_options(child, parent)
    spec = b'{"child":"%b","params":%b' % (options.name.encode(), as_object(_child_fields(child, options)))
    return spec + (b',"children":%b}' % child_specs(child.children, options) if child.children else b"}")


def _child_options(child: ChildJob, parent: QueueOptions[Job]) -> QueueOptions[Job]:
    if not isinstance(child, ChildJob):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"{child!r} is no ChildJob")
    found = [options for options in parent.children if child.child in {options.name, options.job}]
    if len(found) == 1:
        return found[0]
    name = child.child if isinstance(child.child, str) else child.child.__name__
    known = ", ".join(f"{options.name} ({options.job.__name__})" for options in parent.children)
    if found:
        raise ValidationError(
            f"{name} is the job class of several child queues of {parent.name!r} ({known}): name the child queue"
        )
    raise ValidationError(f"queue {parent.name!r} has no child queue {name!r}; it has {known or 'none'}")


def _child_fields(child: ChildJob, options: QueueOptions[Job]) -> Fields:
    declared = user_fields(options.job)
    if isinstance(child.params, BaseModel):
        fields = encode(child.params)
    elif unknown := [str(name) for name in child.params if name not in declared]:
        raise _undeclared(options, unknown)
    elif all(map(is_json, child.params.values())):
        fields = {name: encode_value(name, value) for name, value in child.params.items()}
    else:
        # What JSON has no word for is written by the child's class, which knows how to read it again.
        fields = encode(_as_child(child.params, options))
        fields = {name: fields[name] for name in child.params}
    if unknown := [name for name in fields if name not in declared]:
        raise _undeclared(options, unknown)
    try:
        decode(options.job, fields, _KNOWN)
    except PydanticValidationError as error:
        raise _unfit(options, error) from error
    return fields


def _as_child(params: Mapping[str, object], options: QueueOptions[Job]) -> Job:
    try:
        child: Job = options.job.__pydantic_validator__.validate_python(dict(params), by_alias=False, by_name=True)
    except PydanticValidationError as error:
        raise _unfit(options, error) from error
    return child


def _unfit(options: QueueOptions[Job], error: PydanticValidationError) -> ValidationError:
    return ValidationError(f"child {options.name!r} is not a {options.job.__name__}: {in_one_line(error)}")


def _undeclared(options: QueueOptions[Job], names: list[str]) -> ValidationError:
    return ValidationError(f"child {options.name!r}: {options.job.__name__} declares no {', '.join(names)}")


def new_children(queue: str, specs: Any, parent_id: str) -> list[NewChild]:
    """Return children that are ready to be written, from what `child_specs` made.

    Raises:
        ValidationError: they are too many, or not in the shape that the kernel writes.
    """
    if not isinstance(specs, list):
        raise ValidationError(f"children:{queue}:params is not a list")
    listed: list[Any] = specs  # pyright: ignore[reportUnknownVariableType]
    check_count(listed)
    try:
        return list(_new_children(queue, listed, parent_id))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValidationError(f"children:{queue}:params does not hold children: {error!r}") from error


def check_count(children: Sequence[object]) -> None:
    """Check that one parent can have so many children.

    Raises:
        PayloadTooLarge: it cannot.
    """
    if len(children) > CHILDREN_LIMIT:
        raise PayloadTooLarge(f"{len(children):,} children are over the limit of {CHILDREN_LIMIT:,} for one parent")


def _new_children(queue: str, specs: list[Any], parent_id: str) -> Iterator[NewChild]:
    for spec in specs:
        child: str = spec["child"]
        fields: Fields = {name: to_json(value) for name, value in spec["params"].items()}
        if spec.get("children"):
            fields[f"children:{queue}:{child}:params"] = to_json(spec["children"])
        yield NewChild(child, new_child_id(parent_id), fields)
