"""`Instance`: one tree with its state, as users hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from flows.errors import StateError
from flows.model.arguments import check_text
from flows.model.runs.shape import Shape
from flows.model.tree.errors import TreeBusy, UnknownGenerator
from flows.tree.context import Context
from flows.tree.executing import Executing
from flows.tree.labels import check_caption, check_labels
from flows.tree.plans import plan_of
from flows.tree.state import state_of
from flows.tree.storage.protocol import Conflict, InstanceChange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from flows.store.jobs.log_line import LogLine
    from flows.tree.recipe import Recipe
    from flows.tree.state import InstanceState

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")


class Instance(Executing, Generic[DataT]):
    """One tree that a generator has made of data, with the state of each of its tasks.

    Attributes:
        id: Its id.
        generator: The generator's name; empty where its code is not here.
    """

    def __repr__(self) -> str:
        return f"<Instance {self.id} of {self.generator}>"

    @property
    def generator(self) -> str:
        """The generator's name; empty where its code is not here."""
        return "" if self._recipe is None else self._recipe.name

    async def data(self) -> DataT:
        """Return the data.

        Raises:
            InstanceGone: the instance was destroyed, or has expired.
        """
        data: DataT = self._made_by().shape.decode((await self._host.load(self.id)).data)
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
        await self._check_path(check_text("path", path))
        return await self._host.storage.read_log(self.id, path, since)

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
            check_caption("name", name)
        encoded = None if data is None else self._made_by().encode(data)
        tree = None if encoded is None else (await self._made_by().grow(encoded)).description
        change = InstanceChange(encoded, tree, name, None if labels is None else check_labels(labels))
        while True:
            snapshot = await self._host.load(self.id)
            if data is not None and snapshot.record.status == "working":
                raise TreeBusy(self.id, snapshot.record.run)
            try:
                await self._host.storage.change(self.id, change, snapshot.revision)
            except Conflict:
                continue
            await self._host.note()
            return

    async def cancel(self, reason: str = "cancelled") -> bool:
        """Cancel the execution that is under way; False: none is. It may end a while after this.

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

    def _made_by(self) -> Recipe:
        if self._recipe is None:
            raise UnknownGenerator(self.generator, ())
        return self._recipe
