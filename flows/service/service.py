"""`Service`, which users hold: it runs jobs by their type, `@service.on("email", timeout=10)`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from flows.errors import DeclarationError, ValidationError
from flows.kernel.handler import Handler
from flows.kernel.worker import Worker
from flows.model.option_checks import check_number
from flows.model.runs.shape import JSON_VALUES, encode_untyped
from flows.service.declaring import On
from flows.service.dispatch import Handled, ServiceRunner, call_plainly, type_key
from flows.service.job_log import LEVELS, kept_levels
from flows.service.job_type import JobType
from flows.service.options import ServiceOptions
from flows.service.service_flow import ServiceFlow
from flows.service.service_jobs import ServiceJobs
from flows.service.service_life import ServiceLife
from flows.service.service_params import ServiceJob, check_type
from flows.service.unknown_types import UnknownTypes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from typing import Literal
    from uuid import UUID

    from typing_extensions import Unpack

    from flows.kernel.callers.queue_handle import QueueHandle
    from flows.model.creation.job_options import JobOptions
    from flows.model.retries import Retries
    from flows.service.job_log import Level
    from flows.service.service_record import ServiceRecord
    from flows.store.jobs.log_line import LogLine

ClientT = TypeVar("ClientT", default=None)


class Service(ServiceLife, Generic[ClientT]):
    """A service: it runs jobs by their type.

    Args:
        name: The service's name; its jobs are `job:<name>:<id>`.
        concurrency: How many jobs run at once in this process.
        options: What else there is to say.

    Raises DeclarationError where one of them cannot be used.
    """

    def __init__(self, name: str, *, concurrency: int = 10, options: ServiceOptions | None = None) -> None:
        check_number("concurrency", concurrency)
        self._options = ServiceOptions() if options is None else options
        super().__init__(ServiceFlow(self._options.flow(name)))
        self.name = name
        self._concurrency = concurrency
        self._jobs = ServiceJobs(self._flow)
        #: By their names, and as a claim brings these.
        self._types: dict[str, JobType[Any, Any]] = {}
        self._handled: dict[bytes, Handled] = {}

    def __repr__(self) -> str:
        return f"<Service {self.name}: {', '.join(self._types) or 'no types'}>"

    # Types

    def on(self, type: str, *, timeout: timedelta | float, retries: Retries | None = None) -> On[ClientT]:
        """Return the decorator that makes a function the handler of a type of jobs, and the function a `JobType`.

        The function takes a payload and a `Context`; its annotations say of which type the payload is, and what it
        returns. It may be an `async def`, or a `def`, which runs in a thread. It raises `Fail`, `Retry`, `Snooze` or
        `Cancel` to say how its attempt ends, or returns one.

        Args:
            type: The type's name.
            timeout: How long an attempt may run, a timedelta or seconds; docs/attempts.md says what becomes of one that
                runs longer.
            retries: Whether and when attempts that failed are made again; None: the job fails with the first.

        Raises:
            DeclarationError: a value cannot be used, or the service has such a type; when the decorator is called, the
                function cannot be a handler.
        """
        return partial(self._add, type, timeout, retries)

    def off(self, type: str) -> None:
        """Take a type away: this process has no handler of it any more. Jobs of it that run go on.

        Raises:
            DeclarationError: there is no such type.
        """
        if type not in self._types:
            raise DeclarationError(
                f"service {self.name!r} has no type {type!r}; it has {', '.join(self._types) or 'none'}"
            )
        del self._types[type], self._handled[type_key(type)]

    # Jobs

    async def create(
        self, type: str, payload: object, *, tenant: str = "", links: Sequence[str] = (), **options: Unpack[JobOptions]
    ) -> str:
        """Create a job by the name of its type and return its id, as `JobType.create` does with the handler's code.

        Of a type that has no handler in this process the payload is any JSON, or a model; the worker validates it.

        Raises:
            JobExists: another job has the key.
            ValidationError: the type, the payload, the tenant, a link or an option cannot be used.
            StoreError: the server cannot be used.
        """
        known = self._types.get(check_type(type))
        if known is not None:
            return await known.create(payload, tenant=tenant, links=links, **options)
        data = encode_untyped(f"the payload of type {type!r}", payload)
        return await self._jobs.create(type, data, tenant, links, options)

    async def get_job(self, job_id: str | UUID) -> ServiceRecord[Any, Any] | None:
        """Return the record of a job, or None where there is no such job (any more).

        Its payload and result are those of its type, or plain JSON where this process has no handler of that.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
            StoreError: the server cannot be used.
        """
        return await self._jobs.get(job_id, self._shapes)

    async def jobs_of(self, link: str, *, limit: int = 100) -> list[ServiceRecord[Any, Any]]:
        """Return the newest jobs that are linked to a resource, newest first.

        Raises:
            ValidationError: this is no link, or `limit` no positive whole number.
            StoreError: the server cannot be used.
        """
        return await self._jobs.linked(link, limit, self._shapes)

    async def wait_for(self, job_id: str | UUID, timeout: float) -> ServiceRecord[Any, Any]:
        """Wait until a job has ended and return its record, with payload and result as plain JSON.

        Raises:
            WaitTimeout: it has not ended in time.
            JobGone: it has expired or was deleted.
        """
        return await self._jobs.wait_for(job_id, timeout, JSON_VALUES, JSON_VALUES)

    async def cancel_job(
        self, job_id: str | UUID, reason: str = "cancelled"
    ) -> Literal["cancelled", "requested", "too late"]:
        """Cancel a job: "requested" where its worker will see that soon, "too late" where it has ended.

        Raises:
            JobGone: there is no such job.
        """
        return await self._flow.cancel_job(job_id, reason)

    async def retry_job(self, job_id: str | UUID) -> Literal["retried"]:
        """Retry a job that has failed or was cancelled.

        Raises:
            JobGone: there is no such job.
            StateError: it has not failed and was not cancelled.
        """
        return await self._flow.retry_job(job_id)

    async def delete_job(self, job_id: str | UUID) -> bool:
        """Delete a job, its place in its queue and its links; False where there is none."""
        return await self._flow.delete_job(job_id)

    async def updates(self, job_id: str | UUID, level: Level = "trace") -> list[LogLine]:
        """Return the updates of a job, the last 1,000 at most, oldest first.

        Args:
            job_id: As `create` returned it.
            level: Those of this level, and of all that matter more.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one, or there is no such level.
            StoreError: the server cannot be used.
        """
        if level not in LEVELS:
            raise ValidationError(f"level={level!r:.80}: give one of {', '.join(LEVELS)}")
        lines = await self._flow.get_log(job_id)
        less = LEVELS[LEVELS.index(level) + 1 :]
        return [line for line in lines if line.level not in less]

    @property
    def queue(self) -> QueueHandle:
        """The queue of the service's jobs: to look at, to pause and to drain."""
        return self._flow.queue(self.name)

    @property
    def _shapes(self) -> dict[str, Any]:
        return {name: (kind.shapes.payload, kind.shapes.result) for name, kind in self._types.items()}

    def _add(
        self, name: str, timeout: timedelta | float, retries: Retries | None, function: Callable[..., Any], /
    ) -> JobType[Any, Any]:
        kind = JobType[Any, Any](self._jobs, name, function, timeout, retries)
        if name in self._types:
            raise DeclarationError(f"service {self.name!r} has the type {name!r} twice: rename one")
        if not self._flow.workers:
            self._add_worker()
        self._types[name] = kind
        self._handled[type_key(name)] = Handled(kind, self._flow.plan)
        return kind

    def _add_worker(self) -> None:
        flow, grace = self._flow, self._options.unknown_type_grace.total_seconds()
        runtime = flow.runtime
        threads = Handler(call_plainly, ServiceJob, "thread", self._concurrency)
        unknown = UnknownTypes(self.name, grace, partial(runtime.read_job, self.name), runtime.events)
        kept = kept_levels(self._options.log_levels)
        runner = ServiceRunner(self._handled, flow.plan, threads, unknown, kept)
        flow.add_worker(Worker(runtime, self.name, runner, self._concurrency, threads))
