"""Reads and writes instances of trees: their hashes, in the fields and texts that stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from flows.errors import KeyConflict
from flows.store.client.connection import translated
from flows.store.client.packed_script import PackedArguments
from flows.store.client.wire import ReplyError
from flows.store.keys.trees import holder_name
from flows.store.runs.new_runs import PackedRun
from flows.store.trees.instance_reads import InstanceReads
from flows.store.trees.new_execution import BegunExecution
from flows.store.trees.new_records import pack_records
from flows.store.trees.shared_calls import SharedCalls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.packed_script import Packed
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import (
        BeginExecutionAnswer,
        ChangeInstanceAnswer,
        DeleteInstanceAnswer,
        LogTaskAnswer,
        WriteTasksAnswer,
    )
    from flows.store.trees.instance_reads import Read
    from flows.store.trees.new_execution import NewExecution
    from flows.store.trees.new_records import NewRecords
    from flows.store.trees.tree_link import TreeLink

#: So many of the last lines of a task's log are kept.
MOST_LINES: Final = 1000
#: So many lines are written, or fields read, at once.
_PAGE: Final = 500


class Instances:
    """The instances of one namespace."""

    def __init__(self, link: TreeLink) -> None:
        self._link = link
        self._reads = InstanceReads(link)
        self._writes = SharedCalls(self._write_all)
        self._creates = SharedCalls(self._create_all)
        self._begins = SharedCalls(self._begin_all)
        self._starts = SharedCalls(self._start_all)

    async def create(self, instance_id: str, app: str, key: str, fields: Mapping[str, Argument]) -> str:
        """Create an instance, unless it or the one of its key is there; return the id of the one that is.

        Calls of one moment share a script.

        Raises:
            KeyConflict: something else stands in the place of a key; it was not created.
            StoreFull: it was not created.
            StoreError: it may or may not be created.
        """
        self._reads.know(fields)
        held = holder_name(app, key) if key else ""
        flat = _flat({**fields, **({"key": held} if key else {}), "app": app})
        word, about = await self._creates.call(PackedArguments((instance_id, app, held, len(flat), *flat)))
        if word == b"conflict":
            raise KeyConflict(f"{about.decode()}: delete or rename that key; the instance was not created")
        found: bytes = about
        return found.decode()

    async def _create_all(self, created: Sequence[Packed]) -> list[list[Any]]:
        answers: list[list[Any]] = await self._link.run(
            "create_instance", {"apps": self._link.keys.apps()}, packed=created
        )
        return answers

    async def read(self, instance_id: str, *, tasks: bool) -> Read | None:
        """Return an instance, with the records of its tasks or without; None: there is none.

        Raises:
            StoreError: it cannot be read.
        """
        return await self._reads.read(instance_id, tasks=tasks)

    async def tree(self, instance_id: str) -> tuple[bytes, set[str]]:
        """Return the tree of an instance, nothing where there is none, and the paths that have records.

        Raises:
            StoreError: it cannot be read.
        """
        connection, keys = await self._link.connection(), self._link.keys
        tree, paths = checked(
            await connection.together([("HGET", keys.tree(instance_id), "tree"), ("HKEYS", keys.tasks(instance_id))])
        )
        return tree or b"", {path.decode() for path in paths}

    async def order(self, instance_id: str) -> tuple[int, int | None]:
        """Return the revision of an instance, 0 where there is none, and in how many ms it expires.

        Raises:
            StoreError: it cannot be read.
        """
        connection, key = await self._link.connection(), self._link.keys.tree(instance_id)
        order, left = checked(await connection.together([("HGET", key, "_order"), ("PTTL", key)]))
        return int(order or 0), left if left >= 0 else None

    async def begin(self, instance_id: str, new: NewExecution, if_revision: int) -> BegunExecution:
        """Begin an execution; with its run, where runs stand on this server. Calls of one moment share a script.

        Raises:
            KeyConflict: something else stands in the place of a key; it has not begun.
            StoreFull: it has not begun.
            StoreError: it may or may not have begun.
        """
        self._reads.know(new.fields)
        of_tree = (new.fields["tree_digest"], int("tree" in new.fields), 2 * len(new.fields), len(new.gone))
        arguments = (instance_id, new.id, if_revision, new.record, *of_tree, *_flat(new.fields), *new.gone)
        is_started = new.run is not None and (await self._link.runs()) is not None
        if new.run is not None and is_started:
            answer = await self._starts.call(PackedRun(new.run, arguments))
        else:
            answer = await self._begins.call(PackedArguments(arguments))
        word, about = cast("BeginExecutionAnswer", answer[0].decode()), answer[1].decode()
        if word == "conflict":
            raise KeyConflict(f"{about}: delete or rename that key; the execution has not begun")
        return BegunExecution(word, about, int(answer[2]), is_started and word == "begun")

    async def _begin_all(self, begun: Sequence[Packed]) -> list[list[Any]]:
        answers: list[list[Any]] = await self._link.run("begin_execution", {}, packed=begun)
        return answers

    async def _start_all(self, begun: Sequence[Packed]) -> list[list[Any]]:
        runs = await self._link.runs()
        assert runs is not None  # noqa: S101 - as `begin` has asked
        return await runs.start_executions(begun)

    async def write(self, new: NewRecords) -> tuple[WriteTasksAnswer, int]:
        """Write records; return a word, and the revision of the last one. Calls of one moment share a script.

        Raises:
            KeyConflict: something else stands in the place of a key; nothing of it was written.
            StoreError: they may or may not be written.
        """
        word, order, *about = await self._writes.call(pack_records(new))
        if word == b"conflict":
            raise KeyConflict(f"{about[0].decode()}: delete or rename that key; nothing was written")
        return cast("WriteTasksAnswer", word.decode()), int(order)

    async def _write_all(self, writes: Sequence[Packed]) -> list[list[Any]]:
        answers: list[list[Any]] = await self._link.run("write_tasks", {}, packed=writes)
        return answers

    async def change(
        self,
        instance_id: str,
        fields: Mapping[str, Argument],
        if_revision: int,
        gone: Sequence[str],
        *,
        is_of_tree: bool,
    ) -> tuple[ChangeInstanceAnswer, int]:
        """Change fields of an instance, of data or tree while no execution is under way; a word, and its revision.

        Raises:
            StoreError: they may or may not be changed.
        """
        named: dict[str, Argument] = {
            **self._named(instance_id),
            "if_revision": if_revision,
            "is_of_tree": int(is_of_tree),
            "is_another_tree": int("data" in fields or "tree" in fields),
        }
        word, order = await self._link.run("change_instance", named, [*_counted(fields), *gone])
        return cast("ChangeInstanceAnswer", word.decode()), int(order)

    async def drop(self, instance_id: str, changed: int, paths: Sequence[str]) -> None:
        """Drop results and logs of tasks that the tree has no more which it has since a revision.

        Raises:
            StoreError: some of them may be left; no task has them.
        """
        named: dict[str, Argument] = {**self._named(instance_id), "if_changed": changed}
        while paths:
            dropped = int(await self._link.run("drop_tasks", named, paths[:_PAGE]))
            paths = paths[dropped:]

    async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the results of tasks, of those that have one.

        Raises:
            StoreError: they cannot be read.
        """
        if not paths:
            return {}
        connection, key = await self._link.connection(), self._link.keys.results(instance_id)
        parts = [paths[at : at + _PAGE] for at in range(0, len(paths), _PAGE)]
        found = checked(await connection.together([("HMGET", key, *part) for part in parts]))
        pairs = zip(paths, (one for part in found for one in part), strict=True)
        return {path: result for path, result in pairs if result is not None}

    async def log(self, instance_id: str, path: str, lines: Sequence[str]) -> None:
        """Add lines to the log of a task.

        Raises:
            StoreError: they may or may not be written.
        """
        named: dict[str, Argument] = {**self._named(instance_id), "path": path, "most_lines": MOST_LINES}
        for at in range(0, len(lines), _PAGE):
            word: bytes = await self._link.run("log_task", named, lines[at : at + _PAGE])
            if cast("LogTaskAnswer", word.decode()) == "gone":
                return

    async def read_log(self, instance_id: str, path: str, since: int) -> list[bytes]:
        """Return the lines of a task's log after a number.

        Raises:
            StoreError: they cannot be read.
        """
        connection, key = await self._link.connection(), self._link.keys.log(instance_id)
        last = int(await connection.call("HGET", key, path) or 0)
        first = max(since, last - MOST_LINES) + 1
        if first > last:
            return []
        found: list[bytes | None] = await connection.call(
            "HMGET", key, *(f"{path} {n}" for n in range(first, last + 1))
        )
        return [line for line in found if line is not None]

    async def delete(self, instance_id: str) -> bool:
        """Delete an instance; return False where there was none.

        Raises:
            StoreError: it may or may not be deleted.
        """
        word: bytes = await self._link.run("delete_instance", self._named(instance_id))
        return cast("DeleteInstanceAnswer", word.decode()) == "deleted"

    def _named(self, instance_id: str) -> dict[str, Argument]:
        keys = self._link.keys
        return {
            "instance_id": instance_id,
            "instance": keys.tree(instance_id),
            "tasks": keys.tasks(instance_id),
            "results": keys.results(instance_id),
            "log": keys.log(instance_id),
        }


def checked(replies: list[Any]) -> list[Any]:
    """Return replies of which none is an error.

    Raises:
        StoreError: one is.
    """
    for one in replies:
        if isinstance(one, ReplyError):
            raise translated(one)
    return replies


def _flat(fields: Mapping[str, Argument]) -> list[Argument]:
    return [part for pair in fields.items() for part in pair]


def _counted(fields: Mapping[str, Argument]) -> list[Argument]:
    return [2 * len(fields), *_flat(fields)]
