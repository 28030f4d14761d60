"""`Workflows`, which users hold: what an app defines, its workers, and the runs of all apps."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

from flows.errors import StoreFull
from flows.kernel.callers.loop_thread import awaited
from flows.kernel.program.lifecycle import Hooks, Lifecycle
from flows.model.flow_options import DEFAULT_MAX_PAYLOAD
from flows.workflow.app_options import DEFAULT_RETENTION, AppOptions
from flows.workflow.app_runs import AppRuns
from flows.workflow.attempt import run_runner
from flows.workflow.blocking import Blocking
from flows.workflow.definitions import Definitions, ResourceT_co
from flows.workflow.host import Host
from flows.workflow.registry import Registry, say
from flows.workflow.run_pool import RunPool
from flows.workflow.schedules.scheduling import Scheduling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from flows.config import Server
    from flows.loggers import AnyLogger
    from flows.model.retention import Retention
    from flows.telemetry.events import Events


class Workflows(AppRuns, Definitions[ResourceT_co]):
    """The workflows of one app, `Workflows("billing")`: it owns what it defines, and may start those of others.

    Times are timedeltas, or seconds as numbers.

    Args:
        app: The app's name: what its newest release defines no more is dropped from the registry.
        redis_url: The server; else `FLOWS_REDIS_URL`, `REDIS_URL`, and then the embedded one.
        namespace: Put before every key; apps that start each other's workflows have the same one.
        logger: Where it logs: a logger of `logging` or of structlog; the logger `flows` by default.
        lease: How long a worker owns a run without renewing, which it does four times in that.
        hang_limit: An event loop that is blocked for longer loses its leases.
        max_crashes: A run that is isolated, beside which its worker runs nothing, fails when its worker has died so
            often.
        max_payload: The most that an input, or the result of a run or a step, may take, in bytes of JSON.
        retention: How long a run that has ended is kept, 7 days by default, or `Retention(done=, failed=, cancelled=)`.
        allow_eviction: Use a server whose eviction policy drops keys, and with them runs.
        lifespan: Opens what workflows need: an async context manager function. What it brings, a connection pool for
            one, is opened once per process, before the first run, and closed after the last one. The functions of
            workflows may take it behind their step, and `on_failure` behind its failure.

    Raises DeclarationError where one of them cannot be used.
    """

    def __init__(
        self,
        app: str,
        *,
        redis_url: str | None = None,
        namespace: str = "",
        logger: AnyLogger | None = None,
        lease: timedelta | float = timedelta(seconds=30),
        hang_limit: timedelta | float = timedelta(minutes=10),
        max_crashes: int = 3,
        max_payload: int = DEFAULT_MAX_PAYLOAD,
        retention: Retention | timedelta | float = DEFAULT_RETENTION,
        allow_eviction: bool = False,
        lifespan: Callable[[], AbstractAsyncContextManager[ResourceT_co]] | None = None,
    ) -> None:
        self._options = AppOptions(
            app,
            redis_url=redis_url,
            namespace=namespace,
            logger=logger,
            lease=lease,
            hang_limit=hang_limit,
            max_crashes=max_crashes,
            max_payload=max_payload,
            retention=retention,
            allow_eviction=allow_eviction,
            lifespan=lifespan,
        )
        super().__init__(Host(self._options))
        self._pool = RunPool(self._host, partial(run_runner, self._host))
        self._host.runtime.served = self._pool.served
        self._host.runtime.companion = lambda session: Registry(self._host, session, self._pool.serve)
        self._lifecycle = Lifecycle(app, self._host.runtime, self._pool, Hooks(self._prepare, self._closed))
        self.app = app
        #: Of plain callers: a runtime is open in one loop at a time.
        self._plain = Host(self._options, "workflows.blocking.close()", self._host.definitions)
        self._plain.runtime.served = self._pool.served
        self._blocking = Blocking(self._plain, AppRuns(self._plain))

    def __repr__(self) -> str:
        return f"<Workflows {self.app}: {len(self._host.definitions)} defined>"

    @property
    def events(self) -> Events:
        """What is told of runs and workers in this process: subscribe to it, or wait for one."""
        return self._host.runtime.events

    @property
    def blocking(self) -> Blocking:
        """Plain, blocking calls for views, scripts, threads and step functions: `workflows.blocking.run(checkout, …)`.

        They work beside an event loop that has the app open, but not inside one, and connect by themselves.
        """
        return self._blocking

    # Workers

    def create_workers(self, queues: Sequence[str] | None = None, *, concurrency: int = 10) -> None:
        """Let this process work on runs when it starts: one worker for each workflow.

        Args:
            queues: Those of workflows with these `queue=`, and runs that were started with these; None: of all that the
                app defines.
            concurrency: How many runs execute at once in this process, over all these workflows; a run that waits takes
                no place.

        Raises:
            DeclarationError: the queues are no list of names, the concurrency is no positive whole number, or the app's
                workers run already.
        """
        self._pool.create(queues, concurrency)

    async def start(self) -> None:
        """Connect, record what the app defines, and start its workers; starting twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the app open.
            StoreError: the server cannot be used.
            DeclarationError: a flow owns a queue of a workflow's name.
            HostUnable: no thread or descriptor is left for what workers need.
        """
        await self._lifecycle.start()

    async def stop(self, grace: float | None = None) -> None:
        """Stop the workers, each after the runs that execute, and disconnect; stopping twice changes nothing.

        Args:
            grace: After so many seconds what still executes is cancelled and handed back. None waits.

        Raises:
            WrongLoop: another event loop that runs has the app open.
        """
        await self._lifecycle.stop(grace)

    async def run(
        self, grace: float | None = 30.0, *, signals: bool = True, wait_for_server: float | None = 60.0
    ) -> int:
        """Start the workers and run until SIGTERM, SIGINT or `stop`; then stop within `grace` seconds.

        Args:
            grace: After so many seconds what still executes is cancelled and handed back. None waits.
            signals: False leaves the signals to others, and runs until `stop` is called or this is cancelled.
            wait_for_server: For so many seconds a server that cannot be reached yet is waited for; None: for ever.

        Returns:
            The exit status for `sys.exit`: 1 where leases have to run out, or there was no server in time.

        Raises:
            WrongLoop: another event loop that runs has the app open.
            FlowsError: signals are wanted, and this is not the main thread.
            StoreError: the server cannot be used; where it cannot be reached, only with `wait_for_server=0`.
            DeclarationError: a flow owns a queue of a workflow's name.
        """
        return await self._lifecycle.run(
            grace, signals=signals, wait_for_server=wait_for_server, logger=self._options.logger
        )

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop as `stop` does: `flows.run(…)` runs flows and apps of workflows side by side."""
        await self.stop(grace)

    async def sync(self) -> None:
        """Record what the app defines without a worker, as a deploy script does, and disconnect.

        What is written so counts as known, like what live processes define, until the next `sync` of the app.

        Raises:
            StoreError: the server cannot be used.
            DeclarationError: a flow owns a queue of a workflow's name.
        """
        was_open = self._host.runtime.in_use
        session = await self._host.open()
        await say(self._host, session, written=True)
        await Scheduling(self.app, self._host.schedules, session).say(keep=True)
        if not was_open:
            await self._host.runtime.close()

    async def __aenter__(self) -> Self:
        """Start, as `start` does."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, as `stop` does."""
        await self.stop()

    async def _bind(self, server: Server | None, namespace: str, ahead_ms: int = 0) -> None:
        """Use another server, namespace and clock from the next opening on, for plain callers too: what tests do.

        Raises:
            FlowsError: a loop that runs has the app open.
        """
        await self._give_up()
        for host in (self._host, self._plain):
            host.bind(server, namespace, ahead_ms)

    async def _give_up(self) -> None:
        """Give up what ended loops have left, and disconnect plain callers.

        Raises:
            FlowsError: a loop that runs has the app open.
        """
        self._host.runtime.give_up()
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._blocking.in_use:
            await awaited(self._blocking.disconnect)

    async def _prepare(self) -> None:
        await self._host.renew()
        self._pool.serve(await self._host.known())
        if self._host.schedules:
            # Who starts the app finds them there; where the server is full, they are recorded later.
            with contextlib.suppress(StoreFull):
                await Scheduling(self.app, self._host.schedules, await self._host.open()).say()

    async def _closed(self) -> None:
        """Let go of threads, and disconnect plain callers too."""
        self._host.threads.close()
        await self._disconnect()
