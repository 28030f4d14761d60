"""`Instance` and `Execution`: one tree with its state, and one run of it, as users hold them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from flows.errors import StateError, ValidationError, WaitTimeout
from flows.model.arguments import check_flag, check_seconds, check_text
from flows.model.ids import new_child_id
from flows.model.runs.shape import Shape, encode_untyped
from flows.model.tree.errors import InstanceGone, TreeBusy, TreeFailed
from flows.model.tree.freshness import Digests, Standing
from flows.model.tree.paths import ROOT
from flows.tree.context import Context, fields_of
from flows.tree.host import plan_of
from flows.tree.labels import check_labels
from flows.tree.state import state_of
from flows.tree.storage.protocol import Conflict, InstanceChange
from flows.tree.storage.protocol import Execution as NewExecution

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from flows.store.jobs.log_line import LogLine
    from flows.tree.host import Host, Recipe
    from flows.tree.state import InstanceState

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")


class Execution:
    """One execution of an instance, under way or ended.

    Attributes:
        id: Its id.
        instance_id: The instance's.
    """

    def __init__(self, host: Host, instance_id: str, execution: str) -> None:
        self._host = host
        self.instance_id = instance_id
        self.id = execution

    def __repr__(self) -> str:
        return f"<Execution {self.id} of {self.instance_id}>"

    async def wait(self, timeout: float) -> InstanceState:
        """Wait until the execution has ended, and return how the instance stands; a cancelled one has ended too.

        Args:
            timeout: How long to wait, in seconds.

        Raises:
            WaitTimeout: it has not ended in that time.
            TreeFailed: a task has failed.
            InstanceGone: the instance was destroyed, or has expired.
        """
        seconds = check_seconds("timeout", timeout)
        try:
            async with asyncio.timeout(seconds):
                return await self._wait()
        except TimeoutError as error:
            raise WaitTimeout(f"execution {self.id} has not ended in {seconds:g} s") from error

    async def _wait(self) -> InstanceState:
        while True:
            record, revision = await self._host.glance(self.instance_id)
            if record.run != self.id or record.status != "working":
                break
            await self._host.storage.changed(self.instance_id, revision)
        if record.run == self.id and record.status == "failed" and record.error is not None:
            raise TreeFailed(self.instance_id, record.path, record.error)
        snapshot = await self._host.load(self.instance_id)
        return state_of(snapshot, plan_of(snapshot.tree))


class Instance(Generic[DataT]):
    """One tree that a generator has made of data, with the state of each of its tasks.

    Attributes:
        id: Its id.
        generator: The generator's name.
    """

    def __init__(self, host: Host, recipe: Recipe, instance_id: str) -> None:
        self._host = host
        self._recipe = recipe
        self.id = instance_id

    def __repr__(self) -> str:
        return f"<Instance {self.id} of {self.generator}>"

    @property
    def generator(self) -> str:
        """The generator's name."""
        return self._recipe.name

    async def data(self) -> DataT:
        """Return the data.

        Raises:
            InstanceGone: the instance was destroyed, or has expired.
        """
        data: DataT = self._recipe.shape.decode((await self._host.load(self.id)).data)
        return data

    async def state(self) -> InstanceState:
        """Return how the instance and all its tasks stand.

        Raises:
            InstanceGone: the instance was destroyed, or has expired.
        """
        snapshot = await self._host.load(self.id)
        return state_of(snapshot, plan_of(snapshot.tree))

    async def watch(self) -> AsyncIterator[InstanceState]:
        """Yield how the instance stands now, and again whenever that has changed, until it is gone.

        What comes while the caller is busy is one change: each state is the newest.
        """
        revision = 0
        while True:
            snapshot = await self._host.storage.load(self.id)
            if snapshot is None:
                return
            if snapshot.revision > revision:
                revision = snapshot.revision
                yield state_of(snapshot, plan_of(snapshot.tree))
            await self._host.storage.changed(self.id, revision)

    async def result(self, path: str, of: type[ResultT]) -> ResultT:
        """Return the result of a task, validated; of a group, those of what is directly below it, by name.

        A stale one is returned too, and an earlier one until the task has ended again as ok or skipped.

        Raises:
            UnknownPath: there is no such task.
            StateError: it has no result.
            ValidationError: the result is not of this type.
            InstanceGone: the instance was destroyed, or has expired.
        """
        snapshot = await self._host.load(self.id)
        plan = plan_of(snapshot.tree)
        node = plan.node(check_text("path", path))
        shape: Shape[ResultT] = Shape(of, f"the result of {path}")
        record = snapshot.tasks.get(path)
        found = None
        if not node.works:
            found = await Context(self._host.storage, self.id, plan, snapshot.tasks, snapshot.data).group(path)
        elif record is not None and record.bytes is not None:
            found = (await self._host.storage.results(self.id, [path])).get(path)
        if found is None:
            raise StateError(path, "inactive" if record is None else record.status, "read: it has no result", "task")
        return shape.decode(found)

    async def log(self, path: str, since: int = 0) -> list[LogLine]:
        """Return the lines of a task's log with a number over `since`; the last 1,000 are kept.

        Raises:
            UnknownPath: there is no such task.
            InstanceGone: the instance was destroyed, or has expired.
        """
        plan_of((await self._host.load(self.id)).tree).node(check_text("path", path))
        return await self._host.storage.read_log(self.id, path, since)

    async def execute_all(self, argument: object = None) -> Execution:
        """Execute all tasks, and return when that is durably begun.

        Args:
            argument: What the first task's view has as its `argument`.

        Raises:
            TreeBusy: an execution is under way.
            DeclarationError: the generator has made a tree that cannot work.
            InstanceGone: the instance was destroyed, or has expired.
        """
        return await self.execute(ROOT, argument)

    async def execute(
        self,
        path: str,
        argument: object = None,
        *,
        missing: Literal["error", "run"] = "error",
        subtree: bool = False,
        downstream: bool = False,
    ) -> Execution:
        """Execute one task, a group with all that is below it, or `#` for all; return when that is durably begun.

        Args:
            path: The task.
            argument: What its view has as its `argument`; of a group, the views of its first tasks.
            missing: Whether what the task depends on and is not ready is an error, or is executed too.
            subtree: Execute all below it as well.
            downstream: Execute all as well that uses its result.

        Raises:
            UnknownPath: there is no such task.
            TaskNotReady: something that it depends on has not ended, or is stale.
            TreeBusy: an execution is under way.
            DeclarationError: the generator has made a tree that cannot work.
            InstanceGone: the instance was destroyed, or has expired.
        """
        check_text("path", path)
        for what, flag in (("subtree", subtree), ("downstream", downstream)):
            check_flag(what, flag)
        if missing not in {"error", "run"}:
            raise ValidationError(f"missing={missing!r}: give 'error' or 'run'")
        given = None if argument is None else encode_untyped("the argument", argument)
        execution = new_child_id(self.id)
        while True:
            snapshot = await self._host.load(self.id)
            if snapshot.record.status == "working":
                raise TreeBusy(self.id, snapshot.record.run)
            grown = await self._recipe.grow(snapshot.data)
            standing = Standing(grown.plan, snapshot.tasks, Digests(fields_of(snapshot.data)))
            targets = standing.targets(path, missing=missing, subtree=subtree, downstream=downstream)
            new = NewExecution(execution, path, tuple(targets), given)
            begun = await self._host.storage.begin(self.id, new, grown.description, snapshot.revision)
            match begun.word:
                case "begun" | "same":
                    await self._host.executor.start(self.id, execution)
                    await self._host.note(self.id)
                    return Execution(self._host, self.id, execution)
                case "busy":
                    raise TreeBusy(self.id, begun.execution)
                case "gone":
                    raise InstanceGone(self.id)
                case "moved":
                    continue

    async def update(
        self, data: DataT | None = None, *, name: str | None = None, labels: Mapping[str, str] | None = None
    ) -> None:
        """Give the instance other data, another name or other labels; what read the changed data is stale then.

        Raises:
            TreeBusy: an execution is under way, and the data is to be another one.
            ValidationError: the data is not of the generator's type, or the name or a label cannot be used.
            DeclarationError: the generator makes of the data a tree that cannot work; nothing was changed.
            InstanceGone: the instance was destroyed, or has expired.
        """
        if name is not None:
            check_text("name", name)
        encoded = None if data is None else self._recipe.encode(data)
        tree = None if encoded is None else (await self._recipe.grow(encoded)).description
        change = InstanceChange(encoded, tree, name, None if labels is None else check_labels(labels))
        while True:
            snapshot = await self._host.load(self.id)
            if data is not None and snapshot.record.status == "working":
                raise TreeBusy(self.id, snapshot.record.run)
            try:
                await self._host.storage.change(self.id, change, snapshot.revision)
            except Conflict:
                continue
            await self._host.note(self.id)
            return

    async def cancel(self, reason: str = "cancelled") -> bool:
        """Cancel the execution that is under way; False: none is.

        Raises:
            InstanceGone: the instance was destroyed, or has expired.
        """
        record, _revision = await self._host.glance(self.id)
        if record.status != "working":
            return False
        return await self._host.executor.cancel(self.id, record.run, check_text("reason", reason))

    async def destroy(self) -> bool:
        """Cancel what is under way, and delete the instance with all that it has; False: it was gone already."""
        return await self._host.destroy(self.id)
