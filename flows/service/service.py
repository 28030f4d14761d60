"""`Service`, which users hold: it runs jobs by their type, `@service.on("email", timeout=10)`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar

from flows.errors import DeclarationError
from flows.kernel.handler import check_lifespan
from flows.kernel.worker import Worker
from flows.model.option_checks import check_number
from flows.service.clients import Clients
from flows.service.declaring import On
from flows.service.dispatch import Handled, ServiceRunner, call_plainly, type_key
from flows.service.job_type import JobType
from flows.service.levels import kept_levels
from flows.service.options import ServiceOptions
from flows.service.service_calls import ServiceCalls
from flows.service.service_flow import ServiceFlow
from flows.service.service_jobs import ServiceJobs
from flows.service.service_life import ServiceLife
from flows.service.service_params import ServiceJob
from flows.service.service_tenants import ServiceTenants
from flows.service.tenancy import ServiceHandler, Tenancy
from flows.service.tenant_copy import TenantCopy
from flows.service.tenants import Tenants
from flows.service.unknown_types import UnknownTypes

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta

    from flows.model.retries import Retries
    from flows.service.tenant import Tenant

ClientT = TypeVar("ClientT", default=None)


class Service(ServiceCalls, ServiceTenants, ServiceLife, Generic[ClientT]):
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
        self._options = options = ServiceOptions() if options is None else options
        has_tenants = connect is not None or options.tenants is not None
        flow = ServiceFlow(options.flow(name, tenants=has_tenants))
        clients = None if connect is None else Clients(connect, flow.runtime)
        copy = (
            TenantCopy(flow.runtime, Clients.nothing if clients is None else clients.drop_all) if has_tenants else None
        )
        tenants = None if copy is None else Tenants(flow.runtime, copy, refuse_unknown=options.tenants == "known")
        ServiceLife.__init__(self, flow)
        ServiceTenants.__init__(self, name, tenants)
        ServiceCalls.__init__(self, flow, ServiceJobs(flow, tenants))
        self.name = name
        self._concurrency = concurrency
        self._handled: dict[bytes, Handled] = {}
        known_only = connect is not None or options.tenants == "known"
        self._tenancy = Tenancy(kept_levels(options.log_levels), copy, clients, known_only=known_only)

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
        handler = ServiceHandler(call_plainly, ServiceJob, self._concurrency, self._tenancy)
        unknown = UnknownTypes(self.name, grace, partial(runtime.read_job, self.name), runtime.events)
        runner = ServiceRunner(self._handled, flow.plan, handler, unknown, self._tenancy)
        flow.add_worker(Worker(runtime, self.name, runner, self._concurrency, handler))
