"""What an app of trees holds: its generators, where instances stand, and how an execution is worked on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

from flows.errors import LostLease, StoreError
from flows.model.tree.errors import InstanceGone, UnknownGenerator
from flows.model.tree.paths import ROOT
from flows.tree.begin import begin
from flows.tree.outbox import Outbox
from flows.tree.plans import plan_of
from flows.tree.storage.protocol import NO_TASKS
from flows.tree.tasks.apart import report_apart, run_apart
from flows.tree.walk import Surroundings, Walk
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from flows.model.job import JobError
    from flows.model.tree.task_record import InstanceRecord
    from flows.tree.asked import Asked
    from flows.tree.backend.protocol import Call, Executor, Orders, Outcome, Progress, Returned
    from flows.tree.index.protocol import Index
    from flows.tree.recipe import Grown, Recipe
    from flows.tree.storage.protocol import Execution, Snapshot, Storage, Token

#: For so long one execution waits until the last one is over, in seconds, and looks so often.
_OVER: Final = 5.0
_LOOK: Final = 0.02
#: For so long it is asked who works on executions, in seconds.
_ASKED: Final = 1.0
#: Of the end of which execution the app is being told here.
_telling: Final[ContextVar[str]] = ContextVar("flows_tree_telling", default="")


class Told(Protocol):
    """Is told of ends, at least once each."""

    async def ended(self, snapshot: Snapshot) -> None:
        """Take that an execution has ended, as its instance says."""
        ...

    async def destroyed(self, snapshot: Snapshot) -> None:
        """Take that an instance is about to be deleted."""
        ...


class Host:
    """One app.

    Args:
        app: Its name.
        storage: Where its instances stand.
        index: What finds them.
        executor: What runs its executions.
        debug: Whether the tasks' functions for debugging are called.
        ephemeral_ttl: How long an ephemeral instance stays after an execution; None: until it is destroyed.
        retention: How long the others do.
    """

    def __init__(
        self,
        app: str,
        storage: Storage,
        index: Index,
        executor: Executor,
        *,
        debug: bool = False,
        ephemeral_ttl: timedelta | None = None,
        retention: timedelta | None = None,
    ) -> None:
        self.app: Final = app
        self.storage = storage
        self.index = index
        self.outbox = Outbox(app, storage, index)
        self.executor = executor
        self.recipes: dict[str, Recipe] = {}
        self._debug = debug
        self._ephemeral_ttl = ephemeral_ttl
        self._retention = retention
        #: What is told of ends.
        self.told: Told | None = None

    def recipe(self, name: str) -> Recipe:
        """Return a generator.

        Raises:
            UnknownGenerator: there is none of this name.
        """
        found = self.recipes.get(name)
        if found is None:
            raise UnknownGenerator(name, self.recipes)
        return found

    async def load(self, instance_id: str) -> Snapshot:
        """Return an instance as it stands.

        Raises:
            InstanceGone: there is none.
        """
        found = await self.storage.load(instance_id)
        if found is None:
            raise InstanceGone(instance_id)
        return found

    async def glance(self, instance_id: str) -> tuple[InstanceRecord, int]:
        """Return what the last execution of an instance has come to, and its revision, without its tasks.

        Raises:
            InstanceGone: there is none.
        """
        found = await self.storage.load(instance_id, since=NO_TASKS)
        if found is None:
            raise InstanceGone(instance_id)
        return found.record, found.revision

    async def note(self) -> None:
        """Let the index know how instances stand that have changed."""
        await self.outbox.note()

    async def lonely(self) -> str:
        """Return what the error of a wait that was too short says where no process works on executions."""
        with suppress(StoreError, TimeoutError):  # it is about a wait that is over
            async with asyncio.timeout(_ASKED):
                if not await self.executor.is_served():
                    return f": no process has workers of app {self.app!r}: create_workers() in one, and start it"
        return ""

    async def destroy(self, instance_id: str) -> bool:
        """Cancel what works on an instance, and delete it; False: it was gone already."""
        found = await self.storage.load(instance_id, since=NO_TASKS)
        if found is not None:
            if found.record.status == "working":
                await self.executor.cancel(instance_id, found.record.run, "destroyed")
            if self.told is not None:
                await self.told.destroyed(found)
        is_deleted = await self.storage.delete(instance_id)
        await self.note()
        if not is_deleted:  # nothing has noted that it is gone
            await self.index.remove([instance_id])
        return is_deleted

    async def execute(
        self,
        instance_id: str,
        token: Token,
        orders: Orders,
        cancelled: Callable[[], str | None],
        later: Asked | None = None,
    ) -> dict[str, str]:
        """Work on an execution until it has ended: see `Working.execute`."""
        if token.fence > 1:
            with suppress(LostLease):  # it has ended, and only that is to be told; or it has not been begun
                await self.storage.write(instance_id, token, ())
        snapshot = await self.storage.load(instance_id)
        if later is not None and not _is_of(snapshot, token.execution):
            snapshot = await self._begin(instance_id, token.execution, later)
        if snapshot is None or snapshot.execution is None or snapshot.execution.id != token.execution:
            return {}
        status = snapshot.record.status
        if status == "working":
            ended = await self._walked(snapshot, snapshot.execution, token, orders, cancelled)
            if ended is None:
                return {}
            status = ended.status
        await self._tell(instance_id, token.execution)
        return {"path": snapshot.execution.path, "status": status}

    async def give_up(self, instance_id: str, token: Token, error: JobError, *, cancelled: bool) -> None:
        """Record that an execution has ended by no task of its own: see `Working.give_up`."""
        snapshot = await self.storage.load(instance_id)
        if snapshot is None or snapshot.execution is None or snapshot.execution.id != token.execution:
            return
        if snapshot.record.status == "working":
            walk = self._walk(snapshot, snapshot.execution, token, None)
            with suppress(LostLease):
                await (walk.cancel(error.message) if cancelled else walk.fail(error))
        await self._tell(instance_id, token.execution)

    async def execute_task(self, instance_id: str, token: Token, path: str, attempt: int, call: Call) -> Outcome:
        """Run one task's function: see `Working.execute_task`."""
        return await run_apart(self.storage, self.recipe, instance_id, token, path, attempt, call)

    async def report(self, returned: Returned, progress: Progress) -> None:
        """Write how far a task is that was handed over: see `Working.report`."""
        await report_apart(self.storage, returned, progress)

    async def _begin(self, instance_id: str, execution: str, asked: Asked) -> Snapshot | None:
        """Begin what was to be executed later."""
        found = await self.storage.load(instance_id, since=NO_TASKS)
        if found is None:
            raise InstanceGone(instance_id)
        recipe = self.recipe(found.row.generator)
        await begin(self.storage, instance_id, recipe, execution, asked, over=self.is_over)
        await self.note()
        return await self.storage.load(instance_id)

    async def _walked(
        self,
        snapshot: Snapshot,
        execution: Execution,
        token: Token,
        orders: Orders,
        cancelled: Callable[[], str | None],
    ) -> InstanceRecord | None:
        """Execute what has not ended, and return what that has come to; None where another one goes on."""
        walk: Walk | None = None
        try:
            grown = await self.recipe(snapshot.row.generator).grow(snapshot.data, snapshot.tree)
            walk = self._walk(snapshot, execution, token, orders, grown)
            return await walk.run()
        except asyncio.CancelledError:
            reason = cancelled()
            if reason is None:
                raise
            walk = walk or self._walk(snapshot, execution, token, None)
            with suppress(LostLease):
                return await walk.cancel(reason)
            return snapshot.record  # its end was being written: only that is to be told
        except LostLease:
            return None
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - of the generator, or what nobody has foreseen: no limbo
            walk = walk or self._walk(snapshot, execution, token, None)
            return await walk.fail(error_of(error, ROOT, 1))

    async def is_over(self, execution: str) -> bool:
        """Return whether an execution that has ended is over: whoever is told of ends has been told, or is no more.

        Its run tells them, and ends behind that. One that another execution had taken the place of could not tell them
        after its worker has died. It is waited for a few seconds; a hook that executes its instance anew is not.
        """
        if not self._tells or _telling.get() == execution:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(_OVER):
                while await self.executor.under_way(execution):  # noqa: ASYNC110 - mostly another process ends it
                    await asyncio.sleep(_LOOK)
                return True
        return False

    @property
    def _tells(self) -> bool:
        """Whether a process of the app may be told of ends."""
        return self.told is not None

    async def _tell(self, instance_id: str, execution: str) -> None:
        """Tell that an execution has ended: the index, and the app."""
        await self.note()
        if self.told is not None:
            found = await self.storage.load(instance_id, since=NO_TASKS)
            if found is not None and found.record.run == execution:
                token = _telling.set(execution)
                try:
                    await self.told.ended(found)
                finally:
                    _telling.reset(token)

    def _walk(
        self,
        snapshot: Snapshot,
        execution: Execution,
        token: Token,
        orders: Orders | None,
        grown: Grown | None = None,
    ) -> Walk:
        """Return the walk of an execution; without a tree that has been grown, it can only be ended."""
        ttl = self._ephemeral_ttl if snapshot.row.ephemeral else self._retention
        return Walk(
            Surroundings(self.storage, orders, self._debug),
            snapshot,
            execution,
            token,
            plan=plan_of(snapshot.tree) if grown is None else grown.plan,
            tasks={} if grown is None else grown.tasks,
            ttl=None if ttl is None else ttl.total_seconds(),
        )


def _is_of(snapshot: Snapshot | None, execution: str) -> bool:
    return snapshot is not None and snapshot.execution is not None and snapshot.execution.id == execution
