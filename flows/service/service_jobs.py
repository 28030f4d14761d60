"""What a service does with its jobs: creates them, finds them, waits for them, cancels, retries and deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from flows.errors import ValidationError
from flows.model.runs.shape import JSON_VALUES
from flows.service.service_params import LINKS, ServiceParams, check_link, check_links, check_tenant, check_type
from flows.service.service_record import ServiceRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

    from flows.model.runs.shape import Shape
    from flows.service.service_flow import ServiceFlow
    from flows.service.tenants.tenant_list import Tenants

PayloadT = TypeVar("PayloadT")
ResultT = TypeVar("ResultT")


class ServiceJobs:
    """The jobs of one service, whose payloads are JSON here.

    Args:
        flow: The flow that it is.
        tenants: Its tenants; None: it has none.
        own_queue: Returns the queue that a type has of its own; empty: it has none, as far as is known here.
    """

    def __init__(self, flow: ServiceFlow, tenants: Tenants | None, own_queue: Callable[[str], str]) -> None:
        self._flow = flow
        self._tenants = tenants
        self._own_queue = own_queue

    async def create(
        self, kind: str, payload: bytes, tenant: str, links: Sequence[str], options: Mapping[str, Any]
    ) -> str:
        """Create a job and return its id.

        Raises:
            JobExists: another job has the key.
            ValidationError: the type, the tenant, a link or an option cannot be used; PayloadTooLarge where the payload
                is too long.
            StoreError: the server cannot be used.
        """
        kind, tenant, links = check_type(kind), await self._checked(tenant), check_links(links)
        params = ServiceParams.of(kind, tenant, payload, links, self._own_queue(kind))
        return await self._flow.create_job(params, **options)

    async def create_many(
        self, kind: str, payloads: Iterable[bytes], tenant: str, links: Sequence[str], options: Mapping[str, Any]
    ) -> list[str]:
        """Create a job for each payload, many to a round trip, and return their ids in order.

        Raises:
            ValidationError: as `create` does; the jobs of earlier payloads may have been created.
            StoreError: the server cannot be used; jobs of earlier payloads may have been created.
        """
        kind, tenant, links = check_type(kind), await self._checked(tenant), check_links(links)
        queue = self._own_queue(kind)
        many = (ServiceParams.of(kind, tenant, payload, links, queue) for payload in payloads)
        return await self._flow.create_jobs(many, **options)

    async def get(
        self, job_id: str | UUID, shapes: Mapping[str, tuple[Shape[Any], Shape[Any]]]
    ) -> ServiceRecord[Any, Any] | None:
        """Return the record of a job, or None where it is gone; `shapes` are payload and result by type."""
        found = await self._flow.get_job(job_id)
        return None if found is None else _typed(ServiceRecord(found, JSON_VALUES, JSON_VALUES), shapes)

    async def linked(
        self, link: str, limit: int, shapes: Mapping[str, tuple[Shape[Any], Shape[Any]]]
    ) -> list[ServiceRecord[Any, Any]]:
        """Return the newest jobs that are linked to a resource, newest first.

        Raises:
            ValidationError: this is no link, or no number.
            StoreError: the server cannot be used.
        """
        found = await self._flow.get_jobs_by_key(LINKS, check_link(link), limit=limit, newest_first=True)
        return [_typed(ServiceRecord(one, JSON_VALUES, JSON_VALUES), shapes) for one in found]

    async def wait_for(
        self, job_id: str | UUID, timeout: float, payload: Shape[PayloadT], result: Shape[ResultT]
    ) -> ServiceRecord[PayloadT, ResultT]:
        """Wait until a job has ended and return its record.

        Raises:
            WaitTimeout: it has not ended in time.
            JobGone: it has expired or was deleted.
        """
        return ServiceRecord(await self._flow.wait_for(job_id, timeout), payload, result)

    async def _checked(self, tenant: str) -> str:
        checked = check_tenant(tenant)
        if self._tenants is not None:
            await self._tenants.check(checked)
        elif checked:
            raise ValidationError(f'tenant={checked!r}: the service has no tenants: ServiceOptions(tenants="any")')
        return checked


def _typed(
    record: ServiceRecord[Any, Any], shapes: Mapping[str, tuple[Shape[Any], Shape[Any]]]
) -> ServiceRecord[Any, Any]:
    """Return a record with what its type says here; of a type that is not known, payload and result are plain JSON."""
    known = shapes.get(record.type)
    return record if known is None else ServiceRecord(record.job, *known)
