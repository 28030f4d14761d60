"""`Standing`: how the tasks of an instance stand: which have ended, which are stale, and what is in the way of one.

No clocks: a record keeps the revisions at which its inputs had ended, and a digest of what it has read of the data. It
is stale where one of them is another now, has not ended, or is stale.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

from flows.model.tree.errors import TaskNotReady
from flows.model.tree.paths import ROOT, is_below, parent_of
from flows.model.tree.scopes import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.model.tree.plan import Given, PlannedTask, TreePlan
    from flows.model.tree.task_record import TaskRecord


class Digests:
    """The digests of what tasks read of the data.

    Args:
        data: The fields of the data, each as JSON.
    """

    def __init__(self, data: Mapping[str, bytes]) -> None:
        self._data = data
        self._known: dict[tuple[tuple[str, ...], str], str] = {}

    def of(self, fields: tuple[str, ...], bound: str) -> str:
        """Return the digest of these fields, and of what a function is bound to; empty where there is neither."""
        if not fields and not bound:
            return ""
        known = self._known.get((fields, bound))
        if known is None:
            hashed = blake2b(bound.encode(), digest_size=9)
            for name in sorted(self._data) if fields == (DATA,) else sorted(fields):
                value = self._data.get(name, b"")
                hashed.update(b"\0%b=%d:%b" % (name.encode(), len(value), value))
            known = self._known[fields, bound] = hashed.hexdigest()
        return known


class Standing:
    """How the tasks of an instance stand at one revision.

    Args:
        plan: The tree.
        records: Those of its tasks, by path; one that was never executed has none.
        digests: Those of the data.
    """

    def __init__(self, plan: TreePlan, records: Mapping[str, TaskRecord], digests: Digests) -> None:
        self._plan = plan
        self._records = records
        self._digests = digests

    @cached_property
    def stale(self) -> frozenset[str]:
        """The tasks that have ended, and would be given something else now."""
        found: set[str] = set()
        for path, task in self._plan.tasks.items():  # each after its inputs
            record = self._records.get(path)
            if record is not None and self.has_ended(path) and self._is_stale(task, record, found):
                found.add(path)
        return frozenset(found)

    def changed_at(self, changed: int) -> dict[str, int]:
        """Return the revision at which each executed task has changed last: its record, or what makes it stale.

        A task becomes stale without a record of its own: by the data, or by what it was given.

        Args:
            changed: The revision of the last change of the data or the tree.
        """
        found: dict[str, int] = {}
        for path, task in self._plan.tasks.items():  # each after its inputs
            record = self._records.get(path)
            if record is not None:
                others = record.inputs if task.gate is None else {*record.inputs, task.gate}
                found[path] = max(record.order, changed, *(found.get(one, 0) for one in others))
        return found

    def has_ended(self, path: str) -> bool:
        """Return whether what comes after a task may count on it: it is ok, skipped, or a failure that counts so."""
        record = self._records.get(path)
        if record is None:
            return False
        return record.status in {"ok", "skipped"} or (record.status == "failed" and self._plan.nodes[path].continues)

    def fault(self, path: str, reader: str) -> str | None:
        """Return why a task is in the way of another one: `stale`, or its status; None: it is not."""
        record = self._records.get(path)
        if not self.has_ended(path):
            return "inactive" if record is None else record.status
        if path in self.stale:
            return "stale"
        if record is not None and record.status != "ok" and is_below(reader, path):
            return record.status  # what is below begins when this one's own work is ok
        return None

    def targets(
        self,
        path: str,
        *,
        missing: Literal["error", "run"] = "error",
        subtree: bool = False,
        downstream: bool = False,
    ) -> list[str]:
        """Return which tasks an execution of a path consists of, in an order in which they can be executed.

        Args:
            path: The task; a group stands for all that is below it.
            missing: Whether what the task depends on and is not ready refuses the execution, or is executed too.
            subtree: Whether all that is below it is executed too.
            downstream: Whether all is executed too that uses it.

        Raises:
            UnknownPath: there is no such task.
            TaskNotReady: something that they depend on is not ready.
        """
        plan = self._plan
        whole = subtree or path == ROOT or not plan.node(path).works
        wanted = set(plan.whole(path)) if whole else {path}
        if downstream:
            wanted = self._with_users(wanted)
        self._complete(path, wanted, runs_missing=missing == "run")
        return [one for one in plan.tasks if one in wanted]

    def _complete(self, path: str, wanted: set[str], *, runs_missing: bool) -> None:
        """Add to what is wanted what has to be executed before; refuse where that is not asked for."""
        because: dict[str, str] = {}
        count = 0
        while count < len(wanted):
            count = len(wanted)
            # What uses something that is executed is stale by the time that it is needed.
            touched = self._with_users(wanted)
            readers, seen = list(wanted), set[str]()
            for reader in readers:  # which grow meanwhile
                for one in self._before(reader, seen):
                    why = None if one in wanted else self.fault(one, reader) or ("stale" if one in touched else None)
                    if why is None:
                        continue
                    if runs_missing:
                        wanted.add(one)
                        readers.append(one)
                    else:
                        because.setdefault(one, why)
        if because:
            raise TaskNotReady(path, [(one, because[one]) for one in self._plan.tasks if one in because])

    def _before(self, path: str, seen: set[str]) -> Iterator[str]:
        """Yield what must have ended before a task may begin: its inputs, and what its place puts before it.

        Args:
            path: The task.
            seen: The branches of sequences that were yielded already, and are left out.
        """
        yield from self._plan.tasks[path].given.inputs
        at = path
        while at != ROOT:
            for branch in self._plan.earlier(at):
                if branch in seen:
                    break  # and all that stands before it
                seen.add(branch)
                yield from self._plan.whole(branch)
            at = parent_of(at)
            if at in self._plan.tasks:
                yield at

    def _with_users(self, paths: set[str]) -> set[str]:
        found, left = set(paths), list(paths)
        while left:
            for user in self._plan.users[left.pop()]:
                if user not in found:
                    found.add(user)
                    left.append(user)
        return found

    def _is_stale(self, task: PlannedTask, record: TaskRecord, stale: set[str]) -> bool:
        if task.gate is not None:
            if not self.has_ended(task.gate) or task.gate in stale:
                return True
            if record.skipped_above == (self._records[task.gate].status == "ok"):
                return True
        if record.skipped_above:
            return False
        given = task.asked if record.status == "skipped" else task.given
        if record.data != self._digests.of(given.fields, given.bound) or not _is_the_same(given, record):
            return True
        return any(one in stale or not self._is_at(one, order) for one, order in record.inputs.items())

    def _is_at(self, path: str, order: int) -> bool:
        record = self._records.get(path)
        return record is not None and record.order == order


def _is_the_same(given: Given, record: TaskRecord) -> bool:
    """Return whether a task would be given results of those whose it was; its argument may have been given to it."""
    were = record.inputs.keys()
    return given.inputs <= were <= given.needs
