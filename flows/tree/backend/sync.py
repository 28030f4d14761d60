"""`SyncBackend`: runs executions, with all their tasks' functions, in the process that has begun them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flows.errors import ValidationError
from flows.tree.backend.local import call_here, timed_out
from flows.tree.backend.returns import HANDED_TIMEOUT, Returns
from flows.tree.storage.protocol import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.runs.new_run import NewRun
    from flows.model.schedules.cron import Cron
    from flows.model.schedules.every import Every
    from flows.model.schedules.record import ScheduleRecord
    from flows.tree.asked import Asked, When
    from flows.tree.backend.protocol import Backend, Order, Outcome, Working
    from flows.tree.backend.runs import TreeRuns

_NOW_ONLY: Final = "SyncBackend executes at once, in this process: run_at=, delay= and cron= need the KernelBackend"


class SyncBackend:
    """Runs everything here: `async def` in the event loop, `def` in threads. It needs no workers and no server."""

    #: Whether somebody has to create workers.
    needs_workers = False

    def __init__(self) -> None:
        self._working: Working | None = None
        self._backends: Mapping[str, Backend] = {}
        self._returns = Returns()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._reasons: dict[str, str] = {}

    def bind(self, working: Working, runs: TreeRuns, backends: Mapping[str, Backend]) -> None:  # noqa: ARG002 - the protocol's
        """Take what works on an execution: see `Executor.bind`."""
        self._working, self._backends = working, backends

    def run_of(self, instance_id: str, execution: str) -> NewRun | None:  # noqa: ARG002 - the protocol's
        """Return None: nothing here is a run."""
        return None

    async def start(self, instance_id: str, execution: str) -> None:
        """Work on an execution, in a task of its own: see `Executor.start`."""
        if execution not in self._running:
            begun = asyncio.Event()
            run = self._run(instance_id, execution, begun)
            task = self._running[execution] = asyncio.get_running_loop().create_task(run, name=f"flows-{execution}")
            task.add_done_callback(lambda _: self._forget(execution))
            await begun.wait()  # a task that is cancelled before would not even say so

    async def start_later(self, instance_id: str, execution: str, asked: Asked, when: When) -> None:  # noqa: ARG002
        """Refuse: nothing here outlives the process.

        Raises:
            ValidationError: always.
        """
        raise ValidationError(_NOW_ONLY)

    async def repeat(self, instance_id: str, asked: Asked, schedule: Cron | Every) -> ScheduleRecord:  # noqa: ARG002
        """Refuse, as `start_later` does.

        Raises:
            ValidationError: always.
        """
        raise ValidationError(_NOW_ONLY)

    async def under_way(self, execution: str) -> bool | None:
        """Return whether an execution is worked on: see `Executor.under_way`."""
        return True if execution in self._running else None

    async def is_served(self) -> bool:
        """Return True: it needs no workers."""
        return True

    async def cancel(self, instance_id: str, execution: str, reason: str) -> bool:  # noqa: ARG002 - the protocol's
        """Cancel an execution, and return when it has ended: see `Executor.cancel`."""
        task = self._running.get(execution)
        if task is None:
            return False
        if execution not in self._reasons:  # the second one would disturb what the first has begun
            self._reasons[execution] = reason
            task.cancel()
        await asyncio.wait({task})
        return True

    async def close(self) -> None:
        """Cancel all that runs: see `Executor.close`."""
        for execution in list(self._running):
            await self.cancel("", execution, "its process has stopped")
        await self._returns.close()
        for backend in self._backends.values():
            await backend.close()

    async def run(self, order: Order) -> Outcome:
        """Run an order here, or where its task belongs: see `Orders.run`."""
        backend = self._backends.get(order.task.backend)
        if backend is None:
            return await call_here(order)
        timeout = order.timeout or HANDED_TIMEOUT
        returned = self._returns.expect(order, backend)
        try:
            outcome = await backend.dispatch(order)
            if outcome is not None:
                return outcome
            async with asyncio.timeout(timeout):
                return await returned
        except TimeoutError as error:
            return timed_out(order, timeout, error)
        finally:
            self._returns.forget(order)

    async def pause(self, order: Order, seconds: float) -> None:  # noqa: ARG002 - the protocol's
        """Wait: see `Orders.pause`."""
        await asyncio.sleep(seconds)

    def enter(self) -> None:
        """Take no note: see `Orders.enter`."""

    def leave(self) -> None:
        """Take no note: see `Orders.leave`."""

    async def _run(self, instance_id: str, execution: str, begun: asyncio.Event) -> None:
        begun.set()
        assert self._working is not None  # noqa: S101 - Trees binds its executor when it is made
        token = Token(execution, execution)
        await self._working.execute(instance_id, token, self, lambda: self._reasons.get(execution))

    def _forget(self, execution: str) -> None:
        self._running.pop(execution, None)
        self._reasons.pop(execution, None)
