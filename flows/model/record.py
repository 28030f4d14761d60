"""What a fetch returns: one job, as it stands in the store."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, SchemaSerializer, to_json
from typing_extensions import TypeVar

from flows.errors import FieldMissing, JobNotDone, MalformedJob, ValidationError
from flows.model.codec import decode, kernel_fields
from flows.model.ids import created_at
from flows.model.job import Job
from flows.model.limits.given import rule_number
from flows.model.plain_record import plain_fields, plain_record, record_schema, user_names
from flows.model.records.path import Visit, path_of, since_of
from flows.model.state import TERMINAL
from flows.model.values.unreadable import missing, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from flows.errors import FlowsError
    from flows.model.history import PastAttempt
    from flows.model.job import JobError
    from flows.model.state import JobState

ParamsT = TypeVar("ParamsT", bound=BaseModel)
ModelT = TypeVar("ModelT", bound=BaseModel)


class JobRecord(Generic[ParamsT]):
    """One job, as it stood when it was fetched.

    Attributes:
        id: The job's id.
        status: Its state.
        queue: The queue that it waits or runs in, or ended in.
        attempts: How many attempts were made in that queue, its present one; those in queues before do not count.
        error: Why the job failed, or why the attempt before the present one did; None once the job is done or has gone
            on. The history has all others.
        worker: The worker that claimed it last, as `<host>.<process id>.<random>`; empty where none did.
        history: What became of its attempts, oldest first: the last 20, from the first one that did not simply succeed.
        progress: What the function reported last: from 0 to 1, and a message.
        children: The ids of its children, or their records where they were asked for.
    """

    def __init__(
        self,
        *,
        job_id: str,
        flow_name: str,
        status: JobState,
        queue: str,
        attempts: int,
        error: JobError | None,
        worker: str,
        history: list[PastAttempt],
        progress: tuple[float, str] | None,
        children: list[str] | list[JobRecord[BaseModel]],
        fields: Mapping[str, bytes],
        params_class: type[ParamsT],
    ) -> None:
        self.id = job_id
        self.flow_name = flow_name
        self.status = status
        self.queue = queue
        self.attempts = attempts
        self.error = error
        self.worker = worker
        self.history = history
        self.progress = progress
        self.children = children
        self._fields = fields
        self._params_class = params_class

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let models and web frameworks write records, as `to_dict` does; they are made by flows only."""
        return record_schema(cls)

    __pydantic_serializer__ = SchemaSerializer(record_schema(object))
    """By this pydantic writes a record where no type is declared."""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield the names and values of `to_dict`, so that `dict(record)` is the same."""
        return iter(self.to_dict().items())

    def __repr__(self) -> str:
        """Return a text that says which job this is and where it stood."""
        return f"<JobRecord {self.flow_name} {self.id} {self.status} in {self.queue}>"

    @property
    def created_at(self) -> datetime:
        """When the job was created, in UTC."""
        return created_at(self.id)

    @property
    def priority(self) -> int:
        """How soon the job is taken, 1 first, as far as its queue has priorities."""
        return rule_number(self._fields.get("_priority"))

    @property
    def cost(self) -> int:
        """How many tokens and slots one start of the job takes."""
        return rule_number(self._fields.get("_cost"))

    @property
    def since(self) -> datetime:
        """Since when the job is where it is, in UTC: it waits, runs or has ended since; when it is due, if delayed."""
        return since_of(self.id, self._fields)

    @cached_property
    def path(self) -> list[Visit]:
        """The queues through which it has come, the last 30, with how long it waited, ran and awaited children there.

        The queue in which it runs comes last; one in which it only waits so far does not stand here yet.
        """
        return path_of(self.id, self._fields)

    @cached_property
    def params(self) -> ParamsT:
        """What the job was created with.

        Raises:
            MalformedJob: the hash does not hold it.
        """
        return self.view(self._params_class)

    @property
    def results(self) -> dict[str, Any]:
        """What the job's functions have returned so far, by field, as plain JSON; `view` has it typed."""
        return plain_fields(self._fields, without=self._params_class.model_fields)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON, to be answered by a web server, with its params and results.

        Times are texts, and the error comes without its traceback, which `record.error` has.
        """
        return plain_record(self, plain_fields(self._fields, only=self._params_class.model_fields))

    def to_json(self) -> str:
        """Return the record as a JSON text, as `to_dict` has it."""
        return to_json(self.to_dict()).decode()

    @property
    def child_ids(self) -> list[str]:
        """The ids of the children, fetched or not."""
        return [child if isinstance(child, str) else child.id for child in self.children]

    @property
    def child_jobs(self) -> list[JobRecord[BaseModel]]:
        """The children that were fetched with `resolve_children=True`."""
        return [child for child in self.children if not isinstance(child, str)]

    def raw(self, name: str) -> bytes | None:
        """Return one field of the job's hash as it is stored, JSON where a user has declared it; None: it has none."""
        return self._fields.get(name)

    def job_lists(self) -> list[bytes]:
        """Return the fields that list the job keys of the children, as they are stored."""
        return [
            value for name, value in self._fields.items() if name.startswith("children:") and name.endswith(":jobs")
        ]

    def view(self, model: type[ModelT]) -> ModelT:
        """Return the job's fields as `model`, a job, result or params class, validated.

        Raises:
            ValidationError: `model` is no such class.
            JobNotDone: the job has not ended, and what the model declares is not there yet.
            FieldMissing: it has ended without that.
            MalformedJob: the hash does not hold what the model declares.
        """
        known = b""
        if not (isinstance(model, type) and issubclass(model, BaseModel)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"view({model!r}): give a job, result or params class")
        if issubclass(model, Job):
            known = kernel_fields(
                self.id.encode(),
                self.flow_name.encode(),
                max(self.attempts, 1),
                self._fields.get("_correlation_id"),
                self._fields.get("_priority"),
            )
        try:
            return decode(model, self._fields, known)
        except Exception as error:  # a validator of the user's may raise anything
            raise self._unreadable(model, error) from error

    def _unreadable(self, model: type[BaseModel], error: Exception) -> FlowsError:
        """Return why no `model` can be made of the job."""
        lacks = missing(error)
        wanted = " and ".join(map(repr, lacks))
        if lacks and self.status not in TERMINAL:
            return JobNotDone(self.id, f"{self.status} in {self.queue!r}", f"{wanted} of {model.__name__}")
        why = f" ({self.error.type}: {self.error.message})" if self.error else ""
        where = f"it is {self.status} in {self.queue!r}{why}"
        if lacks:
            has = ", ".join(user_names(self._fields)) or "nothing"
            return FieldMissing(f"{model.__name__} needs {wanted}; job {self.id} has {has}, and {where}")
        reason = why_unreadable(error, {name: self._fields.get(name) for name in model.model_fields})
        return MalformedJob(f"job {self.id} cannot be read as {model.__name__}: {reason}; {where}")
