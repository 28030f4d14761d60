"""What tasks are given: the fields of their views, from the data and from the results of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.codec import as_object
from flows.model.tree.paths import joined
from flows.model.tree.scopes import ARGUMENT, DATA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.tree.node import Read
    from flows.model.tree.plan import Given, PlannedTask, TreePlan
    from flows.model.tree.task_record import TaskRecord
    from flows.tree.storage.protocol import Storage


class Views(NamedTuple):
    """What one task is given, as it stands when it begins.

    Attributes:
        reads: The fields of its function's view, as a JSON object.
        asks: Those of its condition's view.
        orders: The revisions of all whose results it was given, by path.
    """

    reads: bytes
    asks: bytes
    orders: Mapping[str, int]

    def inputs(self, given: Given) -> Mapping[str, int]:
        """Return the revisions of those that a record names."""
        if not self.orders:
            return self.orders
        needs = given.needs
        return {path: order for path, order in self.orders.items() if path in needs}


class Context:
    """The context of one instance: its data, and the results of its tasks.

    Args:
        storage: Where the results are.
        instance_id: Whose.
        plan: The tree.
        records: Those of its tasks, which change meanwhile.
        data: The data, as a JSON object.

    Attributes:
        fields: The fields of the data, each as JSON.
    """

    def __init__(
        self, storage: Storage, instance_id: str, plan: TreePlan, records: Mapping[str, TaskRecord], data: bytes
    ) -> None:
        self._storage = storage
        self._instance_id = instance_id
        self._plan = plan
        self._records = records
        self._data = data
        self.fields = fields_of(data)
        #: What tasks are given that read the data alone, by what they read of it.
        self._of_data: dict[tuple[str, ...], Views] = {}

    async def views(self, task: PlannedTask, argument: bytes | None) -> Views:
        """Return what a task is given now.

        Args:
            task: The task.
            argument: What the execution gives it; None: the result of the task before it is its argument.
        """
        given, node = task.given, task.node
        needs = given.needs if argument is None else given.inputs
        if argument is None and not needs and node.asks is None and given.fields != (DATA,):
            return self._views_of_data(given.fields)
        ok = [path for path in needs if self._status(path) == "ok"]
        results = await self._storage.results(self._instance_id, ok) if ok else {}
        if len(results) < len(ok):
            lost = next(path for path in ok if path not in results)
            raise MalformedJob(f"instance {self._instance_id} has lost the result of {lost}: execute it again")
        if argument is None and given.argument is not None:
            argument = results.get(given.argument)
        orders = {path: self._records[path].order for path in needs}
        reads = self._object(node.reads, task.sources.reads, results, argument)
        return Views(reads, self._object(node.asks or (), task.sources.asks, results, argument), orders)

    async def group(self, path: str) -> bytes | None:
        """Return the results of what is directly below a group, by name, as a JSON object; None: it was skipped."""
        ok = [one for one in self._plan.givers(path) if self._status(one) == "ok"]
        return self._value(path, "", await self._storage.results(self._instance_id, ok))

    def _views_of_data(self, names: tuple[str, ...]) -> Views:
        views = self._of_data.get(names)
        if views is None:
            reads = as_object({name: self.fields[name] for name in names if name in self.fields})
            views = self._of_data[names] = Views(reads, b"{}", {})
        return views

    def _object(
        self,
        reads: Sequence[Read],
        writers: Mapping[str, str],
        results: Mapping[str, bytes],
        argument: bytes | None,
    ) -> bytes:
        found: dict[str, bytes] = {}
        for read in reads:
            if read.name == DATA:
                value: bytes | None = self._data
            elif read.name == ARGUMENT:
                value = argument
            elif writers[read.name]:
                value = self._value(writers[read.name], read.name, results)
            else:
                value = self.fields.get(read.name)
            if value is not None:
                found[read.name] = value
        return as_object(found)

    def _value(self, path: str, name: str, results: Mapping[str, bytes]) -> bytes | None:
        """Return what a task, or a group, has written under a name; None: it was skipped."""
        node = self._plan.nodes[path]
        if node.acts and self._status(path) != "ok":
            return None
        if not node.works:
            below = {one.name: self._value(joined(path, one.name), "", results) for one in node.tasks}
            return as_object({name: value for name, value in below.items() if value is not None})
        if node.spreads and name:
            whole: Any = from_json(results[path])
            return to_json(whole[name])
        return results[path]

    def _status(self, path: str) -> str:
        record = self._records.get(path)
        return "inactive" if record is None else record.status


def fields_of(data: bytes) -> dict[str, bytes]:
    """Return the fields of a JSON object, each as JSON."""
    found: dict[str, Any] = from_json(data)
    return {name: to_json(value) for name, value in found.items()}
