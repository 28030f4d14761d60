"""`Flow`, which users hold: it is declared, started and stopped here, and its bases work with jobs and workers."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar

from flows.errors import DeclarationError
from flows.kernel.callers.loop_thread import awaited
from flows.kernel.program.lifecycle import Hooks, Lifecycle
from flows.kernel.runtime import Runtime
from flows.model.declared.description import Descriptor
from flows.model.flow_options import FlowOptions
from flows.pipeline.declaration import declare, wrong_arguments
from flows.pipeline.flow_jobs import FlowJobs
from flows.pipeline.flow_workers import FlowWorkers
from flows.pipeline.signature import JobT, KeyT, ParamsT
from flows.pipeline.stages import check_stages
from flows.pipeline.sync import SyncFlow
from flows.pipeline.worker_pool import FlowPool

if TYPE_CHECKING:
    from types import TracebackType

    from flows.config import Server
    from flows.telemetry.events import Events


_NO_WORKERS: Final = "this process has no worker function: import the module that has them before the flow runs"


class Flow(FlowJobs[ParamsT, KeyT], FlowWorkers[JobT], Generic[JobT, ParamsT, KeyT]):
    """A pipeline of queues: `Flow[Job, Params, LookupKeys](options)`.

    `Job` is the union of the queues' job classes, `Params` the model that `create_job` takes, and `LookupKeys` a
    Literal of the lookup attributes (left out where there are none).

    Raises DeclarationError where the options or the type arguments cannot work.
    """

    _declared: tuple[Any, ...] = ()
    _pool_class: ClassVar[type[FlowPool]] = FlowPool

    if not TYPE_CHECKING:

        def __class_getitem__(cls, arguments: Any) -> Any:
            """Remember the type arguments, so that params are validated at run time."""
            given = arguments if isinstance(arguments, tuple) else (arguments,)
            try:
                alias = super().__class_getitem__(arguments)
            except TypeError as error:
                raise DeclarationError(wrong_arguments(cls.__name__, given, error)) from error
            if any(isinstance(argument, TypeVar) for argument in given):
                return alias
            body = {"_declared": alias.__args__, "__module__": cls.__module__, "__doc__": cls.__doc__}
            return types.new_class(cls.__name__, (alias,), {}, lambda namespace: namespace.update(body))

    def __init__(self, options: FlowOptions[JobT, KeyT]) -> None:
        if not isinstance(options, FlowOptions):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"Flow({options!r}): give a FlowOptions")
        self._declaration = declare(options, self._declared)
        params: type[ParamsT] = self._declaration.params  # type: ignore[assignment]
        #: Made once for the loops of this process and its plain callers.
        descriptor = Descriptor(self._declaration.options, params)
        super().__init__(Runtime(self._declaration.options, descriptor), self._declaration, params)
        #: Of plain callers: a runtime is open in one loop at a time.
        self._sync_runtime = Runtime(self._declaration.options, descriptor, "flow.sync.close()")
        self._sync: SyncFlow[ParamsT, KeyT] = SyncFlow(self._sync_runtime, self._declaration, params)
        self._pool = self._pool_class(self._runtime, self._declaration)
        for runtime in (self._runtime, self._sync_runtime):
            runtime.served = self._pool.served
        self.name = options.name
        hooks = Hooks(self._prepare, self._close_sync)
        self._lifecycle = Lifecycle(options.name, self._runtime, self._pool, hooks)

    @property
    def events(self) -> Events:
        """The events of this process: subscribe to them, or wait for one."""
        return self._runtime.events

    @property
    def sync(self) -> SyncFlow[ParamsT, KeyT]:
        """Plain, blocking calls for views, scripts, threads and functions of workers: `flow.sync.create_job(params)`.

        They work beside an event loop that has the flow open, but not inside one, and connect by themselves.
        """
        return self._sync

    async def _bind(self, server: Server | None, namespace: str, ahead_ms: int = 0) -> None:
        """Use another server, namespace and clock from the next opening on, for plain callers too: what tests do.

        Raises:
            FlowsError: a loop that runs has the flow open.
        """
        await self._give_up()
        for runtime in (self._runtime, self._sync_runtime):
            runtime.bind(server, namespace, ahead_ms)

    async def _give_up(self) -> None:
        """Give up what ended loops have left, and disconnect plain callers.

        Raises:
            FlowsError: a loop that runs has the flow open.
        """
        self._runtime.give_up()
        await self._close_sync()

    async def _close_sync(self) -> None:
        if self._sync_runtime.in_use:
            await awaited(self._sync_runtime.close)

    def __repr__(self) -> str:
        queues, running = len(self._declaration.options.queues), sum(w.status == "running" for w in self._pool.workers)
        return f"<Flow {self.name}: {_counted(queues, 'queue')}, {_counted(running, 'worker')} running>"

    async def start_all(self) -> None:
        """Connect the flow, then start all workers; starting twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
            StoreError: the server cannot be used.
            DeclarationError: another flow owns one of the queues, or a queue needs a field that nothing writes.
            HostUnable: no thread or descriptor is left for what workers need.
        """
        await self._lifecycle.start()

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop all workers, each after the jobs in flight, and disconnect; stopping twice changes nothing.

        `flow.sync` is disconnected too; a later call connects again.

        Args:
            grace: After so many seconds what still runs is cancelled and released. None waits.

        Where one of the flow's own jobs asks, this returns at once, and the flow stops when its jobs have ended.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
        """
        await self._lifecycle.stop(grace)

    async def run(
        self, grace: float | None = 30.0, *, signals: bool = True, wait_for_server: float | None = 60.0
    ) -> int:
        """Start all workers and run until SIGTERM, SIGINT or `stop_all`; then stop within `grace` seconds.

        A second signal stops at once. Several flows of one process may run at the same time: each hears the signals.

        Args:
            grace: After so many seconds what still runs is cancelled and released. None waits.
            signals: False leaves the signals to others, and runs until `stop_all` is called or this is cancelled.
            wait_for_server: For so many seconds a server that cannot be reached yet is waited for; None: for ever.

        Where logging is not configured, the log is shown on stderr until this ends.

        Returns the exit status for `sys.exit`: 0 where all jobs in flight were finished or released, 1 where a
        function did not end or the server could not be reached, so that leases have to run out. 1 also where there was
        no server within `wait_for_server` seconds, after one line in the log.

        Raises:
            WrongLoop: another event loop that runs has the flow open.
            FlowsError: signals are wanted, and this is not the main thread.
            StoreError: the server cannot be used; where it cannot be reached, only with `wait_for_server=0`.
            HostUnable: no thread or descriptor is left for what workers need; only with `wait_for_server=0`.
            DeclarationError: another flow owns one of the queues.
        """
        return await self._lifecycle.run(
            grace, signals=signals, wait_for_server=wait_for_server, logger=self._declaration.options.logger
        )

    async def _prepare(self) -> None:
        check_stages(self._declaration, self._pool.workers)

    async def __aenter__(self) -> Self:
        """Start all workers, as `start_all` does."""
        await self.start_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all workers, as `stop_all` does."""
        await self.stop_all()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
