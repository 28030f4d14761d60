"""`ServiceFlow`: the flow that a service is, whose jobs are created by type, and whose worker dispatches on that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from flows.model.endings.outbox import Outbox, ReportsTo
from flows.model.flow_options import FlowOptions
from flows.pipeline.flow import Flow
from flows.pipeline.worker_pool import FlowPool
from flows.service.service_params import ServiceJob, ServiceParams

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.kernel.worker import Worker
    from flows.model.plan import QueuePlan

#: What the log of endings and the reports copy of a job.
COPIED: Final = ("type", "tenant")


@dataclass(frozen=True)
class ServiceFlowOptions(FlowOptions["ServiceJob", Literal["links"]]):
    """The options of a service's flow.

    Args:
        reports: What is told of which endings.
        speaks: Whether this process says what an ending leaves behind, as one with handlers or reporters does; else it
            goes by what others have said.
    """

    #: A process without a type's code, or without a reporter, does not know its queue.
    partial: ClassVar[bool] = True

    reports: Sequence[ReportsTo] = ()
    speaks: bool = True

    @property
    def outbox(self) -> Outbox | None:
        """What the ending of a job leaves behind."""
        return Outbox(self.endings, self.reports, COPIED) if self.speaks else None


class ServicePool(FlowPool):
    """The workers of a service: the queue above its reporters' has no jobs, and needs none."""

    def unserved(self) -> list[str]:
        """Return the queues of which this process has no worker."""
        return [name for name in super().unserved() if not self._declaration.plans[name].options.children]

    def complete(self) -> None:
        """Add nothing."""


class ServiceFlow(Flow[ServiceJob, ServiceParams, Literal["links"]]):
    """The flow of one service: its queue has the service's name."""

    _pool_class: ClassVar[type[FlowPool]] = ServicePool

    @property
    def runtime(self) -> Runtime:
        """What its calls and workers have in common."""
        return self._runtime

    @property
    def plan(self) -> QueuePlan:
        """The plan of its queue."""
        return self.plan_of(self.name)

    def plan_of(self, queue: str) -> QueuePlan:
        """Return the plan of a queue, by its full name."""
        return self._declaration.plans[queue]

    @cached_property
    def begins(self) -> list[Callable[[], Awaitable[None]]]:
        """What is called before its workers start."""
        return []

    async def _prepare(self) -> None:
        """See that all is there; the queues of a service do not follow each other, and nothing of that is checked."""
        for begin in self.begins:
            await begin()

    @property
    def queues(self) -> list[str]:
        """The full names of its queues."""
        return [*self._declaration.plans]

    @property
    def job_queues(self) -> list[str]:
        """The queues from which jobs run: that of the service, and those that types have of their own."""
        return [queue.name for queue in self._declaration.options.queues if not queue.children]

    def add_worker(self, worker: Worker) -> None:
        """Add a worker; where the flow's workers were started, it starts as well."""
        self._pool.add([worker])
