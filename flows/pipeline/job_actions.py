"""Acts on the jobs of one flow: creates, cancels, retries and deletes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel

from flows.errors import DeclarationError, JobGone, StateError, ValidationError
from flows.model.arguments import check_many, check_text
from flows.model.codec import encode, encode_value
from flows.model.creation.encoded_params import EncodedParams
from flows.model.creation.job_options import check_options
from flows.model.creation.keys import check_kept
from flows.model.ids import new_job_id
from flows.model.limits.given import check_priority, refuse_without_rules, rule_fields
from flows.model.names import check_job_id
from flows.pipeline.signature import ParamsT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flows.kernel.runtime import Runtime
    from flows.model.creation.job_options import CheckedOptions, JobOptions
    from flows.model.job import Job
    from flows.pipeline.declaration import Declaration


PreparedT_co = TypeVar("PreparedT_co", covariant=True)


class Preparing(Protocol[PreparedT_co]):
    """What makes jobs ready to be created."""

    def prepare(
        self, job_id: str, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]], /
    ) -> PreparedT_co:
        """Return a job that is ready to be created."""
        ...


class JobActions(Generic[ParamsT]):
    """Creates, cancels, retries and deletes the jobs of one flow."""

    def __init__(self, runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> None:
        self._runtime = runtime
        self._declaration = declaration
        self._params = params
        self._encode: Callable[[Any], dict[str, bytes]] = (
            params.encoded if issubclass(params, EncodedParams) else encode
        )
        self._attributes = tuple(declaration.options.lookup_attributes)
        self._flow = declaration.options.name
        self._rules = {name: queue.rules for name, queue in declaration.options.walk()}
        first = declaration.options.queues[0].rules
        self._grouped = first is not None and first.group is not None

    async def create(self, params: ParamsT, options: JobOptions) -> str:
        """Create a job and return its id."""
        checked = self._checked("create_job", options)
        self._check(params)
        self._check_kept(checked)
        session = await self._runtime.open()
        if checked.conditional:
            prepared = self._prepared(session.delayed_creation, params, checked)
            return (await session.delayed_creation.create(checked.due, [prepared], checked.condition))[0]
        job = self._prepared(session.creation, params, checked)
        await session.creation.create(job)
        return job.id

    async def create_many(self, many: Iterable[ParamsT], options: JobOptions) -> list[str]:
        """Create a job for each of many params, and return their ids in order."""
        if isinstance(many, BaseModel):
            raise ValidationError(f"create_jobs takes many {self._params.__name__}: for one, use create_job")
        check_many("many", many, self._params.__name__)
        checked = self._checked("create_jobs", options)
        session = await self._runtime.open()
        if checked.conditional:
            delayed = session.delayed_creation
            prepared = (self._prepared(delayed, self._check(params), checked) for params in many)
            return await delayed.create(checked.due, prepared)
        creation = session.creation
        return await creation.create_many(self._prepared(creation, self._check(params), checked) for params in many)

    async def cancel(self, job_id: str | UUID, reason: str) -> Literal["cancelled", "requested", "too late"]:
        """Cancel a job and its children, and return what came of that."""
        job_id = check_job_id(job_id)
        encode_value("reason", check_text("reason", reason))  # refused here, where it cannot be written
        control = (await self._runtime.open()).control
        word: Any = await control.cancel(self._flow, job_id, reason)
        if word in {"gone", "malformed"}:
            raise JobGone(job_id)
        answer: Literal["cancelled", "requested", "too late"] = word
        return answer

    async def retry(self, job_id: str | UUID) -> Literal["retried"]:
        """Retry a job that has failed or was cancelled."""
        job_id = check_job_id(job_id)
        control = (await self._runtime.open()).control
        word = await control.retry_job(self._flow, job_id)
        if word == "gone":
            raise JobGone(job_id)
        if word != "retried":
            raise StateError(job_id, word, "retried")
        return word

    async def move(self, job_id: str | UUID, to: type[Job] | str) -> Literal["moved"]:
        """Move a job that no worker has to another queue of the flow."""
        job_id = check_job_id(job_id)
        queue = named_target(self._declaration, to)
        control = (await self._runtime.open()).control
        word = await control.move(self._flow, job_id, queue)
        if word == "gone":
            raise JobGone(job_id)
        if word != "moved":
            state = f"in {queue!r} already" if word == "there" else word
            raise StateError(job_id, state, f"moved to {queue!r}")
        return word

    async def set_priority(self, job_id: str | UUID, priority: int) -> Literal["set", "same"]:
        """Give a job that waits or is delayed another priority."""
        job_id = check_job_id(job_id)
        if priority is None:  # pyright: ignore[reportUnnecessaryComparison] - 1 by default elsewhere
            raise ValidationError("priority=None: give a whole number")
        self._refuse(check_priority(priority))
        control = (await self._runtime.open()).control
        word = await control.set_priority(self._flow, job_id, priority)
        if word == "gone":
            raise JobGone(job_id)
        if word != "set" and word != "same":  # noqa: PLR1714 - so that checkers see which are left
            raise StateError(job_id, word, "given another priority")
        return word

    async def delete(self, job_id: str | UUID) -> bool:
        """Delete a job and its children, and return whether there was one."""
        job_id = check_job_id(job_id)
        control = (await self._runtime.open()).control
        return await control.delete(self._flow, job_id)

    def _checked(self, call: str, options: JobOptions) -> CheckedOptions:
        """Return the options of a creation, checked against the flow's rules too."""
        checked = check_options(call, options)
        if checked.priority != 1 or checked.cost != 1:
            self._refuse(checked.priority, checked.cost)
        return replace(checked, grouped=True) if self._grouped else checked

    def _refuse(self, priority: int = 1, cost: int = 1) -> None:
        """Refuse a priority or a cost which would change nothing, and a cost that could never be given."""
        if priority != 1 or cost != 1:
            refuse_without_rules(self._flow, priority, cost, self._rules)

    def _check(self, params: ParamsT) -> ParamsT:
        if not isinstance(params, self._params):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(
                f"create_job of flow {self._flow!r} takes a {self._params.__name__}, not {type(params).__name__}"
            )
        return params

    def _check_kept(self, checked: CheckedOptions) -> None:
        if checked.condition is not None:
            options = self._declaration.options
            check_kept(checked.condition, options.job_ttl, options.retained)

    def _prepared(self, creation: Preparing[PreparedT_co], params: ParamsT, options: CheckedOptions) -> PreparedT_co:
        fields = self._encode(params)
        if options.correlation_id is not None:
            fields["_correlation_id"] = encode_value("correlation_id", options.correlation_id)
        if options.priority != 1 or options.cost != 1:
            fields.update(rule_fields(options.priority, options.cost))
        values: list[tuple[str, object]] = [(name, getattr(params, name)) for name in self._attributes]
        if options.condition is not None:
            values.append((options.condition.attribute, options.condition.key))
        return creation.prepare(new_job_id(), fields, values)


def named_target(declaration: Declaration, queue: type[Job] | str) -> str:
    """Return the name of a queue to which jobs can be moved.

    Raises:
        ValidationError: the flow has no such queue, or it is a child queue.
    """
    try:
        name = declaration.plan_of(queue).queue
    except DeclarationError as error:
        raise ValidationError(str(error)) from error
    if ":" in name:
        raise ValidationError(f"{name!r} is a child queue, in which only children of its parents wait")
    return name
