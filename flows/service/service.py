"""`Service`, which users hold: it runs jobs by their type, `@service.on("email", timeout=10)`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar

from flows.kernel.handler import check_lifespan
from flows.model.duration import as_timedelta
from flows.model.option_checks import check_number
from flows.service.declaring import On, OnBatch
from flows.service.job_type import JobType
from flows.service.options import ServiceOptions
from flows.service.service_calls import ServiceCalls
from flows.service.service_endings import ServiceEndings
from flows.service.service_host import ServiceHost
from flows.service.service_life import ServiceLife
from flows.service.service_tenants import ServiceTenants
from flows.service.telling.service_reports import ServiceReports
from flows.service.type_options import TypeOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from flows.model.retries import Retries
    from flows.service.tenants.tenant import Tenant

ClientT = TypeVar("ClientT", default=None)


class Service(ServiceCalls, ServiceEndings, ServiceReports, ServiceTenants, ServiceLife, Generic[ClientT]):
    """A service: it runs jobs by their type.

    Args:
        name: The service's name; its jobs are `job:<name>:<id>`.
        connect: Opens what handlers need of a tenant, as `job.client`: an async context manager function of a `Tenant`.
            It is called once in each process for a tenant, when its first job comes, and again when that has changed.
            A service that has it runs only jobs of tenants that were added.
        concurrency: How many jobs run at once in this process.
        options: What else there is to say.

    Raises DeclarationError where one of them cannot be used.
    """

    @overload
    def __init__(
        self: Service[None], name: str, *, concurrency: int = 10, options: ServiceOptions | None = None
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        *,
        connect: Callable[[Tenant], AbstractAsyncContextManager[ClientT]],
        concurrency: int = 10,
        options: ServiceOptions | None = None,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        *,
        connect: Callable[[Tenant], AbstractAsyncContextManager[Any]] | None = None,
        concurrency: int = 10,
        options: ServiceOptions | None = None,
    ) -> None:
        check_number("concurrency", concurrency)
        if connect is not None:
            check_lifespan(connect, "connect")
        self.name = name
        self._host = ServiceHost(name, ServiceOptions() if options is None else options, connect, concurrency)

    def __repr__(self) -> str:
        return f"<Service {self.name}: {', '.join(self._host.types) or 'no types'}>"

    # Types

    def on(
        self, type: str, *, timeout: timedelta | float, retries: Retries | None = None, own_queue: bool = False
    ) -> On[ClientT]:
        """Return the decorator that makes a function the handler of a type of jobs, and the function a `JobType`.

        The function takes a payload and a `Context`; its annotations say of which type the payload is, and what it
        returns. It may be an `async def`, or a `def`, which runs in a thread. It raises `Fail`, `Retry`, `Snooze` or
        `Cancel` to say how its attempt ends, or returns one.

        Args:
            type: The type's name.
            timeout: How long an attempt may run, a timedelta or seconds; docs/attempts.md says what becomes of one that
                runs longer.
            retries: Whether and when attempts that failed are made again; None: the job fails with the first.
            own_queue: Its jobs go on to a queue of their own, `<service>.<type>`, which can be paused alone, and from
                which `concurrency` of them run beside those of other types.

        Raises:
            DeclarationError: a value cannot be used, or the service has such a type; when the decorator is called, the
                function cannot be a handler, or a type with a queue of its own comes after the service's first use.
        """
        return partial(self._add, TypeOptions(type, as_timedelta(timeout), retries, own_queue=own_queue))

    def on_batch(
        self,
        type: str,
        *,
        size: int,
        timeout: timedelta | float,
        linger: timedelta | float | None = None,
        retries: Retries | None = None,
    ) -> OnBatch[ClientT]:
        """Return the decorator that makes a function the handler of many jobs of a type at once, all of one tenant.

        The function takes a list of `BatchJob[Payload]` and a `Batch`. It returns `Each([...])`, with a result for each
        job, or the result of all of them; `jobs[0].fail("why")` lets one fail. Each job ends by itself. The type has a
        queue of its own.

        Args:
            type: The type's name.
            size: So many jobs at most.
            timeout: How long each of them may take, its wait for others included.
            linger: How long the first job waits for others; a timedelta or seconds, 10 ms by default.
            retries: Whether and when attempts that failed are made again; None: a job fails with the first.

        Raises:
            DeclarationError: as `on` does.
        """
        return partial(self._add, TypeOptions(type, as_timedelta(timeout), retries, size=size, linger=linger))

    def off(self, type: str) -> None:
        """Take a type away: this process has no handler of it any more. Jobs of it that run go on.

        Raises:
            DeclarationError: there is no such type.
        """
        self._host.remove_type(type)

    def _add(self, options: TypeOptions, function: Callable[..., Any], /) -> JobType[Any, Any]:
        kind = JobType[Any, Any](self._host, options, function)
        self._host.add_type(kind)
        return kind
