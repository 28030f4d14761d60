"""What a test isolates: a flow, a service, or an app of workflows or of trees, as the kit handles them."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from flows.errors import FlowsError
from flows.model.runs.queue_names import workflow_of
from flows.pipeline.flow import Flow
from flows.service.service import Service
from flows.tree.trees import Trees
from flows.workflow.app import Workflows
from flows.workflow.schedules.scheduling import Scheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.config import Server
    from flows.kernel.session import Session
    from flows.kernel.worker import Worker
    from flows.telemetry.events import Events
    from flows.workflow.declared import Declared

#: What users isolate.
Isolable: TypeAlias = "Flow[Any, Any, Any] | Workflows[Any] | Trees | Service[Any]"


class Program(Protocol):
    """A flow, a service, or an app of workflows."""

    @property
    def workers(self) -> Sequence[Worker]:
        """Its workers in this process."""
        ...

    @property
    def events(self) -> Events:
        """Its events."""
        ...

    async def open(self) -> Session:
        """Return its session, opened."""
        ...

    async def queues(self) -> list[str]:
        """Return the full names of its queues."""
        ...

    async def start(self) -> None:
        """Start all its workers."""
        ...

    async def resume(self, workers: Sequence[Worker]) -> None:
        """Start these workers of it again."""
        ...

    async def stop(self, grace: float | None = None) -> None:
        """Stop its workers, and disconnect."""
        ...

    async def tick(self) -> None:
        """Do at once what its workers do now and then."""
        ...

    async def bind(self, server: Server, namespace: str, ahead_ms: int) -> None:
        """Use another server, namespace and clock from the next opening on."""
        ...

    async def unbind(self) -> None:
        """Use what its options say."""
        ...

    async def give_up(self) -> None:
        """Give up what ended loops have left; raises FlowsError where a loop that runs has it open."""
        ...


class FlowProgram:
    """A flow."""

    def __init__(self, flow: Flow[Any, Any, Any]) -> None:
        self.flow = flow

    @property
    def workers(self) -> Sequence[Worker]:
        """Its workers in this process."""
        return self.flow.workers

    @property
    def events(self) -> Events:
        """Its events."""
        return self.flow.events

    async def open(self) -> Session:
        """Return its session, opened."""
        return await self.flow._runtime.open()

    async def queues(self) -> list[str]:
        """Return the full names of its queues."""
        return list(self.flow._declaration.plans)

    async def start(self) -> None:
        """Start all its workers."""
        await self.flow.start_all()

    async def resume(self, workers: Sequence[Worker]) -> None:
        """Start these workers of it again."""
        for worker in workers:
            await worker.start()

    async def stop(self, grace: float | None = None) -> None:
        """Stop its workers, and disconnect."""
        await self.flow.stop_all(grace)

    async def tick(self) -> None:
        """Take back what is over."""
        await self.flow._runtime.session.rescuer.tick()

    async def bind(self, server: Server, namespace: str, ahead_ms: int) -> None:
        """Use another server, namespace and clock from the next opening on."""
        await self.flow._bind(server, namespace, ahead_ms)

    async def unbind(self) -> None:
        """Use what its options say."""
        await self.flow._bind(None, self.flow._declaration.options.namespace)

    async def give_up(self) -> None:
        """Give up what ended loops have left."""
        await self.flow._give_up()


class AppProgram:
    """An app of workflows."""

    def __init__(self, app: Workflows[Any]) -> None:
        self.app = app

    @property
    def workers(self) -> Sequence[Worker]:
        """Its workers in this process."""
        return self.app._pool.workers

    @property
    def events(self) -> Events:
        """Its events."""
        return self.app.events

    @property
    def definitions(self) -> Sequence[Declared]:
        """The workflows that it defines."""
        return [*self.app._host.definitions.values()]

    async def open(self) -> Session:
        """Return its session, opened."""
        return await self.app._host.open()

    async def queues(self) -> list[str]:
        """Return the kernel's queues of what it defines: those of overrides and versions too, once a run came there."""
        known = [queue for queue in await self.app._host.known() if workflow_of(queue) in self.app._host.definitions]
        return list(dict.fromkeys([*self.app._host.definitions, *known]))

    async def start(self) -> None:
        """Start all its workers."""
        await self.app.start()

    async def resume(self, workers: Sequence[Worker]) -> None:
        """Start its workers again, if some ran: they are started together."""
        if workers:
            await self.app.start()

    async def stop(self, grace: float | None = None) -> None:
        """Stop its workers, and disconnect."""
        await self.app.stop(grace)

    async def tick(self) -> None:
        """Take back what is over, and fire the schedules that are due."""
        session = await self.open()
        await session.rescuer.tick()
        await Scheduling(self.app.app, self.app._host.schedules, session).tick()

    async def bind(self, server: Server, namespace: str, ahead_ms: int) -> None:
        """Use another server, namespace and clock from the next opening on."""
        await self.app._bind(server, namespace, ahead_ms)

    async def unbind(self) -> None:
        """Use what its options say."""
        await self.app._bind(None, self.app._options.namespace)

    async def give_up(self) -> None:
        """Give up what ended loops have left."""
        await self.app._give_up()


def program_of(given: object) -> Program:
    """Return what the kit handles, of what a user isolates.

    Raises:
        FlowsError: it is neither a flow, nor a service, nor an app of workflows or of trees.
    """
    if isinstance(given, Flow):
        flow: Flow[Any, Any, Any] = given  # pyright: ignore[reportUnknownVariableType]
        return FlowProgram(flow)
    if isinstance(given, Workflows):
        app: Workflows[Any] = given  # pyright: ignore[reportUnknownVariableType]
        return AppProgram(app)
    if isinstance(given, Service):
        service: Service[Any] = given  # pyright: ignore[reportUnknownVariableType]
        return FlowProgram(service._flow)
    if isinstance(given, Trees):
        return AppProgram(given._runs)
    raise FlowsError(f"isolated({given!r:.80}): give flows, services, and apps of workflows and of trees")
