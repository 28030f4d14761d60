"""What the parts of one service share: what it declares, and the flow that this makes, once it is first used."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

from flows.errors import DeclarationError
from flows.kernel.worker import Worker
from flows.service.backlog import Backlog, BacklogRunner
from flows.service.dispatch import ServiceRunner
from flows.service.handled import Handled, type_key
from flows.service.levels import kept_levels
from flows.service.service_flow import ServiceFlow
from flows.service.service_handler import ServiceHandler
from flows.service.service_jobs import ServiceJobs
from flows.service.tenants.clients import Clients
from flows.service.tenants.tenancy import Tenancy
from flows.service.tenants.tenant_copy import TenantCopy
from flows.service.tenants.tenant_list import Tenants
from flows.service.unknown_types import UnknownTypes

if TYPE_CHECKING:
    from flows.kernel.attempt_runner import Runner
    from flows.kernel.runtime import Runtime
    from flows.model.endings.outbox import ReportsTo
    from flows.model.job import Job
    from flows.model.plan import QueuePlan
    from flows.model.queue_options import QueueOptions
    from flows.service.job_type import JobType
    from flows.service.options import ServiceOptions
    from flows.service.tenants.clients import Connect


class ReportQueue(Protocol):
    """A queue of reports beside a service's jobs: of a reporter, or of what comes by a schedule."""

    @property
    def options(self) -> QueueOptions[Job]:
        """The queue, by its own name: its full name is `<service>.reports:<name>`."""
        ...

    def reports_to(self, queue: str) -> ReportsTo | None:
        """Return of which endings the queue, by its full name, is to have a job; None: of none."""
        ...

    def worker(self, host: ServiceHost, plan: QueuePlan) -> Worker:
        """Return what works on it in this process."""
        ...

    @property
    def kept(self) -> timedelta:
        """For how long jobs that have ended have to be kept for it."""
        ...

    async def begin(self, host: ServiceHost) -> None:
        """See to what has to be there when its worker starts.

        Raises:
            StoreError: the server cannot be used.
        """
        ...


class ServiceHost:
    """One service in this process.

    Attributes:
        name: The service's name.
        options: What it was made with.
        types: Those that have a handler here, by their names.
        reports: What stands beside its jobs: reporters and reports, by their names.
    """

    def __init__(self, name: str, options: ServiceOptions, connect: Connect | None, concurrency: int) -> None:
        self.name = name
        self.options = options
        self.types: dict[str, JobType[Any, Any]] = {}
        self.reports: dict[str, ReportQueue] = {}
        self._connect = connect
        self._concurrency = concurrency
        self._has_tenants = connect is not None or options.tenants is not None
        #: The types as the worker has them, by their names as a claim brings these.
        self._handled: dict[bytes, Handled] = {}
        options.flow(name, tenants=self._has_tenants)  # what cannot be declared is refused at once

    @property
    def runtime(self) -> Runtime:
        """What its calls and workers have in common."""
        return self.flow.runtime

    @cached_property
    def flow(self) -> ServiceFlow:
        """The flow that the service is: from its first use on, no reporter is added to it."""
        queues = [one.options for one in self.reports.values()]
        own = [self._queue_of(kind) for kind in self.types.values() if kind.options.has_queue]
        reports = [to for name, one in self.reports.items() if (to := one.reports_to(self._full(name)))]
        speaks = bool(self.types or self.reports)
        make = partial(self.options.flow, self.name, tenants=self._has_tenants)
        kept = max((one.kept for one in self.reports.values()), default=timedelta(0))
        flow = ServiceFlow(make(own=own, queues=queues, reports=reports, speaks=speaks, kept=kept))
        self.__dict__["flow"] = flow  # those who make the workers ask for it
        if self._backlog is not None:
            flow.begins.append(self._backlog.note)
        for name, one in self.reports.items():
            flow.add_worker(one.worker(self, flow.plan_of(self._full(name))))
            flow.begins.append(partial(one.begin, self))
        return flow

    @property
    def jobs(self) -> ServiceJobs:
        """What creates and reads its jobs."""
        return self._jobs

    @cached_property
    def tenants(self) -> Tenants | None:
        """What changes its tenants; None: it has none."""
        copy = self._copy
        return None if copy is None else Tenants(self.runtime, copy, refuse_unknown=self.options.tenants == "known")

    @cached_property
    def tenancy(self) -> Tenancy:
        """Its tenants, as attempts have them."""
        known_only = self._connect is not None or self.options.tenants == "known"
        return Tenancy(kept_levels(self.options.log_levels), self._copy, self._clients, known_only=known_only)

    def add_type(self, kind: JobType[Any, Any]) -> None:
        """Add a type that was just declared; where the service's workers run, its jobs are taken at once.

        Raises:
            DeclarationError: there is one of this name, or it has a queue and the service is in use.
        """
        if kind.name in self.types:
            raise DeclarationError(f"service {self.name!r} has the type {kind.name!r} twice: rename one")
        if kind.options.has_queue and "flow" in self.__dict__:
            raise DeclarationError(f"service {self.name!r} is in use: declare the type {kind.name!r} before that")
        self.types[kind.name] = kind
        if "flow" in self.__dict__:
            self.serve()

    def remove_type(self, name: str) -> None:
        """Have no handler of a type any more.

        Raises:
            DeclarationError: there is no such type.
        """
        del self.types[self._known(name).name]
        self._handled.pop(type_key(name), None)

    def add_reports(self, reports: ReportQueue) -> None:
        """Add a queue of reports.

        Raises:
            DeclarationError: there is one of this name, or the service is in use already.
        """
        name = reports.options.name
        if name in self.reports:
            raise DeclarationError(f"service {self.name!r} has the reporter {name!r} twice: rename one")
        if "flow" in self.__dict__:
            raise DeclarationError(
                f"service {self.name!r} is in use: declare the reporter {name!r} before its first job"
            )
        self.reports[name] = reports

    def queue_of(self, name: str) -> str:
        """Return the queue from which the jobs of a type run.

        Raises:
            DeclarationError: there is no such type.
        """
        return self._queue_of(self._known(name))

    def serve(self) -> None:
        """Have a worker for each queue of the types that are declared."""
        served = {worker.queue for worker in self.flow.workers}
        for name, kind in self.types.items():
            if type_key(name) not in self._handled:
                queue = self._queue_of(kind)
                self._handled[type_key(name)] = Handled(kind, self.flow.plan_of(queue))
                for needed in dict.fromkeys((self.name, queue)):
                    if needed not in served:
                        served.add(needed)
                        self.flow.add_worker(self._worker(needed, kind.options.size if needed == queue else None))

    @cached_property
    def _jobs(self) -> ServiceJobs:
        return ServiceJobs(self.flow, self.tenants, self._own_queue)

    @cached_property
    def _backlog(self) -> Backlog | None:
        return Backlog(self.runtime) if self.options.skip_backlog else None

    @cached_property
    def _copy(self) -> TenantCopy | None:
        if not self._has_tenants:
            return None
        return TenantCopy(self.flow, Clients.nothing if self._clients is None else self._clients.drop_all)

    @cached_property
    def _clients(self) -> Clients | None:
        return None if self._connect is None else Clients(self._connect, self.runtime)

    def _worker(self, queue: str, size: int | None) -> Worker:
        flow, grace = self.flow, self.options.unknown_type_grace.total_seconds()
        runtime = flow.runtime
        backlog = self._backlog
        handler = ServiceHandler(self._concurrency, self.tenancy, backlog)
        unknown = UnknownTypes(queue, grace, partial(runtime.read_job, self.name), runtime.events)
        runner: Runner = ServiceRunner(self._handled, flow.plan_of(queue), handler, unknown, self.tenancy)
        runner = runner if backlog is None else BacklogRunner(runner, backlog)
        # Of a batch, each job has a lane: so many wait for each other, or run together.
        return Worker(runtime, queue, runner, self._concurrency * (size or 1), handler)

    def _known(self, name: str) -> JobType[Any, Any]:
        if name not in self.types:
            known = ", ".join(self.types) or "none"
            raise DeclarationError(f"service {self.name!r} has no type {name!r:.80}; it has {known}")
        return self.types[name]

    def _own_queue(self, name: str) -> str:
        kind = self.types.get(name)
        return self._queue_of(kind) if kind is not None and kind.options.has_queue else ""

    def _queue_of(self, kind: JobType[Any, Any]) -> str:
        return f"{self.name}.{kind.name}" if kind.options.has_queue else self.name

    def _full(self, name: str) -> str:
        return f"{self.name}.reports:{name}"
