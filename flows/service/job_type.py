"""`JobType[Payload, Result]`: the jobs of one type, which `@service.on(…)` makes of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from flows.model.arguments import check_many
from flows.service.handler import shapes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from typing_extensions import Unpack

    from flows.model.creation.job_options import JobOptions
    from flows.service.service_jobs import ServiceJobs
    from flows.service.service_record import ServiceRecord
    from flows.service.type_options import TypeOptions

PayloadT = TypeVar("PayloadT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


class HasJobs(Protocol):
    """A service, as its types have it."""

    @property
    def jobs(self) -> ServiceJobs:
        """What creates and reads its jobs."""
        ...


class JobType(Generic[PayloadT, ResultT_co]):
    """The jobs of one type: `@service.on("email", timeout=10)` makes it of a function.

    Attributes:
        name: The type's name.
        function: Its function.
        options: What else it was declared with.
        shapes: What its jobs take and return.

    Raises DeclarationError where one of them cannot be used.
    """

    def __init__(self, host: HasJobs, options: TypeOptions, function: Callable[..., Any]) -> None:
        self.name = options.name
        self.options = options
        self.function = function
        self.shapes = shapes_of(options.name, function, batch=options.size is not None)
        self.__doc__ = function.__doc__
        self._host = host

    def __repr__(self) -> str:
        return f"<JobType {self.name}>"

    async def create(
        self, payload: PayloadT, *, tenant: str = "", links: Sequence[str] = (), **options: Unpack[JobOptions]
    ) -> str:
        """Create a job of the type and return its id; its handlers may be elsewhere, or still to come.

        Args:
            payload: What the function takes.
            tenant: Whose job it is.
            links: What it is about, such as `orders/7`: at most 64, by which `service.jobs_of` finds it.
            **options: `priority`, `delay`, `run_at`, `idempotency_key`, `correlation_id` and others: see `JobOptions`.

        Raises:
            JobExists: another job has the key: IdempotencyConflict where it has another payload, or DuplicateJob.
            ValidationError: the payload is not of the type, the tenant, a link or an option cannot be used;
                PayloadTooLarge where it is too long. Nothing is created.
            StoreError: the server cannot be used.
        """
        return await self._host.jobs.create(self.name, self.encode(payload), tenant, links, options)

    async def create_many(
        self,
        payloads: Iterable[PayloadT],
        *,
        tenant: str = "",
        links: Sequence[str] = (),
        **options: Unpack[JobOptions],
    ) -> list[str]:
        """Create a job of the type for each payload, many to a round trip, and return their ids in order.

        Args:
            payloads: What the function takes, each for a job of its own.
            tenant: Whose jobs they are.
            links: What all of them are about.
            **options: As in `create`, but no keys.

        Raises:
            ValidationError: a payload is not of the type, or as in `create`; the jobs before it may be there.
            StoreError: the server cannot be used; jobs of earlier ones may have been created.
        """
        many = map(self.encode, check_many("payloads", payloads, "payloads"))
        return await self._host.jobs.create_many(self.name, many, tenant, links, options)

    async def wait_for(self, job_id: str | UUID, timeout: float) -> ServiceRecord[PayloadT, ResultT_co]:
        """Wait until a job has ended and return its record, whose `status` is done, failed or cancelled.

        Args:
            job_id: As `create` returned it.
            timeout: In seconds.

        Raises:
            WaitTimeout: it has not ended in time.
            JobGone: it has expired or was deleted.
        """
        return await self._host.jobs.wait_for(job_id, timeout, self.shapes.payload, self.shapes.result)

    def encode(self, payload: object) -> bytes:
        """Return a payload as JSON.

        Raises:
            ValidationError: it is not of the type, or would come back as another value.
        """
        shape = self.shapes.payload
        return shape.encode(shape.accept(payload))
