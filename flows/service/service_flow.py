"""`ServiceFlow`: the flow that a service is, whose jobs are created by type, and whose worker dispatches on that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flows.pipeline.flow import Flow
from flows.service.service_params import ServiceJob, ServiceParams

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.kernel.worker import Worker
    from flows.model.plan import QueuePlan


class ServiceFlow(Flow[ServiceJob, ServiceParams, Literal["links"]]):
    """The flow of one service: its queue has the service's name."""

    @property
    def runtime(self) -> Runtime:
        """What its calls and workers have in common."""
        return self._runtime

    @property
    def plan(self) -> QueuePlan:
        """The plan of its queue."""
        return self._declaration.plans[self.name]

    def add_worker(self, worker: Worker) -> None:
        """Add a worker; where the flow's workers were started, it starts as well."""
        self._pool.add([worker])
