"""`Lifecycle`: how the workers of an app of trees are made, started and stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from flows.tree.storage.bound import Closable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from flows.tree.backend.runs import TreeRuns
    from flows.tree.host import Host


class Lifecycle:
    """The methods of `Trees` that start and stop it.

    Args:
        host: The app.
        runs: Its runs.
    """

    def __init__(self, host: Host, runs: TreeRuns) -> None:
        self._host = host
        self._runs = runs

    def create_workers(self, queues: Sequence[str] | None = None, *, concurrency: int = 10) -> None:
        """Let this process work on executions, and on tasks with `queue=`, when it starts.

        Args:
            queues: Those of tasks; `default` has the executions themselves. None: all.
            concurrency: How many executions and such tasks are worked on at once in this process; one that waits takes
                no place. A `SyncBackend` needs no workers, and makes none.

        Raises:
            DeclarationError: the queues are no list of names, the concurrency is no positive whole number, or the app's
                workers run already.
        """
        if self._host.executor.needs_workers:
            self._runs.create_workers(queues, concurrency=concurrency)

    async def start(self) -> None:
        """Connect, and start the workers that were created; starting twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the app open.
            StoreError: the server cannot be used.
            DeclarationError: a flow owns a queue of the app's workflows.
            HostUnable: no thread or descriptor is left for what workers need.
        """
        if self._host.executor.needs_workers:
            await self._runs.start()
        self._host.outbox.start()

    async def stop(self, grace: float | None = None) -> None:
        """Stop the workers, cancel what a `SyncBackend` runs, and disconnect; stopping twice changes nothing.

        Args:
            grace: After so many seconds what still executes is cancelled, and goes on elsewhere. None waits.

        Raises:
            WrongLoop: another event loop that runs has the app open.
        """
        if not self._host.executor.needs_workers:
            await self._host.executor.close()
        await self._host.outbox.stop()
        await self._runs.stop(grace)
        await self._host.executor.close()
        for one in (self._host.storage, self._host.index):
            if isinstance(one, Closable):
                await one.close()

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop as `stop` does: `flows.run(…)` runs flows and apps side by side."""
        await self.stop(grace)

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
        """
        self._host.outbox.start()
        try:
            return await self._runs.run(grace, signals=signals, wait_for_server=wait_for_server)
        finally:
            await self.stop(grace)

    async def __aenter__(self) -> Self:
        """Start, as `start` does."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, as `stop` does."""
        await self.stop()

    async def close(self) -> None:
        """Stop, as `stop` does."""
        await self.stop()
