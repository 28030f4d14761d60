"""What callers do with the jobs of a service: create them by name, find them, wait for them, cancel and retry them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.errors import JobGone
from flows.model.names import check_job_id
from flows.model.runs.shape import JSON_VALUES, encode_untyped
from flows.service.levels import LEVELS, check_level
from flows.service.service_params import check_type
from flows.store.jobs.log_line import pack_update
from flows.store.jobs.progress import add_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal
    from uuid import UUID

    from pydantic import JsonValue
    from typing_extensions import Unpack

    from flows.kernel.callers.queue_handle import QueueHandle
    from flows.model.creation.job_options import JobOptions
    from flows.service.levels import Level
    from flows.service.service_host import ServiceHost
    from flows.service.service_record import ServiceRecord
    from flows.store.jobs.log_line import LogLine


class ServiceCalls:
    """The methods of a service that are about its jobs."""

    _host: ServiceHost

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
        known = self._host.types.get(check_type(type))
        if known is not None:
            return await known.create(payload, tenant=tenant, links=links, **options)
        data = encode_untyped(f"the payload of type {type!r}", payload)
        return await self._host.jobs.create(type, data, tenant, links, options)

    async def get_job(self, job_id: str | UUID) -> ServiceRecord[Any, Any] | None:
        """Return the record of a job, or None where there is no such job (any more).

        Its payload and result are those of its type, or plain JSON where this process has no handler of that.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
            StoreError: the server cannot be used.
        """
        return await self._host.jobs.get(job_id, self._shapes)

    async def jobs_of(self, link: str, *, limit: int = 100) -> list[ServiceRecord[Any, Any]]:
        """Return the newest jobs that are linked to a resource, newest first.

        Raises:
            ValidationError: this is no link, or `limit` no positive whole number.
            StoreError: the server cannot be used.
        """
        return await self._host.jobs.linked(link, limit, self._shapes)

    async def wait_for(self, job_id: str | UUID, timeout: float) -> ServiceRecord[Any, Any]:
        """Wait until a job has ended and return its record, with payload and result as plain JSON.

        Raises:
            WaitTimeout: it has not ended in time.
            JobGone: it has expired or was deleted.
        """
        return await self._host.jobs.wait_for(job_id, timeout, JSON_VALUES, JSON_VALUES)

    async def cancel_job(
        self, job_id: str | UUID, reason: str = "cancelled"
    ) -> Literal["cancelled", "requested", "too late"]:
        """Cancel a job: "requested" where its worker will see that soon, "too late" where it has ended.

        Raises:
            JobGone: there is no such job.
        """
        return await self._host.flow.cancel_job(job_id, reason)

    async def retry_job(self, job_id: str | UUID) -> Literal["retried"]:
        """Retry a job that has failed or was cancelled.

        Raises:
            JobGone: there is no such job.
            StateError: it has not failed and was not cancelled.
        """
        return await self._host.flow.retry_job(job_id)

    async def delete_job(self, job_id: str | UUID) -> bool:
        """Delete a job, its place in its queue and its links; False where there is none."""
        return await self._host.flow.delete_job(job_id)

    async def updates(self, job_id: str | UUID, level: Level = "trace") -> list[LogLine]:
        """Return the updates of a job, the last 1,000 at most, oldest first.

        Args:
            job_id: As `create` returned it.
            level: Those of this level, and of all that matter more.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one, or there is no such level.
            StoreError: the server cannot be used.
        """
        less = LEVELS[LEVELS.index(check_level(level)) + 1 :]
        lines = await self._host.flow.get_log(job_id)
        return [line for line in lines if line.level not in less]

    async def add_update(
        self, job_id: str | UUID, status: str, meta: JsonValue = None, *, level: Level = "info"
    ) -> None:
        """Add an update to a job's log from outside of its function, also when it has ended.

        Args:
            job_id: As `create` returned it.
            status: A word of at most 64 characters.
            meta: What else there is to say, as JSON.
            level: How much it matters; it is kept whatever levels are.

        Raises:
            ValidationError: `job_id` is no UUID, the status is no word, there is no such level, or `meta` is no JSON.
            JobGone: there is no such job.
            StoreError: the server cannot be used.
        """
        job_id, line = check_job_id(job_id), pack_update(status, check_level(level), meta, 0)
        session = await self._host.runtime.open()
        if await add_line(session.connection, session.settings, self._host.name, job_id, line) != "ok":
            raise JobGone(job_id)

    def queue_of(self, type: str) -> QueueHandle:
        """Return the queue from which the jobs of a type run that has a handler here: to look at, to pause, to drain.

        Raises:
            DeclarationError: there is no such type.
        """
        return self._host.flow.queue(self._host.queue_of(type))

    @property
    def queue(self) -> QueueHandle:
        """The queue to which the service's jobs come: to look at, to pause and to drain."""
        return self._host.flow.queue(self._host.flow.name)

    @property
    def _shapes(self) -> dict[str, Any]:
        return {name: (kind.shapes.payload, kind.shapes.result) for name, kind in self._host.types.items()}
