"""How Python reads the answers of the scripts of trees: for `tests/store/jobs/test_answers.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from flows.errors import KeyConflict
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.trees.instances import Instances
from flows.store.trees.new_execution import NewExecution
from flows.store.trees.new_records import NewRecords
from flows.store.trees.tree_index import IndexedRow, TreeIndex
from flows.store.trees.tree_link import GivenLines, TreeLink
from flows.store.trees.tree_outbox import TreeOutbox

Reader = Callable[[Any, FlowSettings], Coroutine[Any, Any, Any]]
NEW: Final = NewExecution("e", b"{}", {"tree_digest": "d"})


def _link(connection: Any, settings: FlowSettings) -> TreeLink:
    return TreeLink(GivenLines(connection).opened, lambda: settings)


def _on_instances(act: Callable[[Instances], Coroutine[Any, Any, Any]]) -> Reader:
    return lambda connection, settings: act(Instances(_link(connection, settings)))


async def _log(connection: Any, settings: FlowSettings) -> str:
    """Write two parts of lines: where the instance is gone, the second one is not sent."""
    run, words = connection.run, list[str]()

    async def heard(*arguments: Any) -> Any:
        words.append((await run(*arguments)).decode())
        return words[-1].encode()

    connection.run = heard
    await Instances(_link(connection, settings)).log("1", "#.a", ["{}"] * 501)
    return " ".join(words)


async def _drop(connection: Any, settings: FlowSettings) -> list[int]:
    """Drop two tasks, one by one; return how many were left to be dropped in each call."""
    left, run = list[int](), connection.run

    async def one(script: Any, named: Any, rest: Any, _packed: Any) -> int:
        left.append(len(rest))
        return int(await run(script, named, rest)) + 1

    connection.run = one
    await Instances(_link(connection, settings)).drop("1", 1, ["#.a", "#.b"])
    return left


def _told(act: Callable[[Instances], Coroutine[Any, Any, Any]]) -> Reader:
    """Return what tells a conflict by its word, where the error has its sentence."""

    async def read(connection: Any, settings: FlowSettings) -> Any:
        try:
            return await act(Instances(_link(connection, settings)))
        except KeyConflict as error:
            return "conflict" if "1: delete" in str(error) else error

    return read


TREE_READERS: Final[dict[str, Reader]] = {
    "begin_execution": _told(lambda instances: instances.begin("1", NEW, 1)),
    "change_instance": _on_instances(lambda instances: instances.change("1", {}, 1, (), is_of_tree=False)),
    "create_instance": _told(lambda instances: instances.create("2", "imports", "", {})),
    "delete_instance": _on_instances(lambda instances: instances.delete("1")),
    "drop_tasks": _drop,
    "log_task": _log,
    "write_tasks": _told(lambda instances: instances.write(NewRecords("1", "e", 1, is_child=False, records=[]))),
    "mark_indexed": lambda connection, settings: TreeOutbox(_link(connection, settings)).mark_indexed(
        "imports", [("1", 1)]
    ),
    "index_instances": lambda connection, settings: TreeIndex(_link(connection, settings)).put(
        [IndexedRow("1", 1, "imports", "", is_working=True, row=b"{}")]
    ),
    "unindex_instances": lambda connection, settings: TreeIndex(_link(connection, settings)).take_out(["1"]),
}
TREES_TOLD: Final[dict[str, Callable[[Any, str], bool]]] = {
    "begin_execution": lambda told, word: told == (word if word == "conflict" else (word, "1", 0, False)),
    "change_instance": lambda told, word: told == (word, 0),
    "create_instance": lambda told, word: told == (word if word == "conflict" else "1"),
    "delete_instance": lambda told, word: told is (word == "deleted"),
    "drop_tasks": lambda told, _: told == [2, 1],
    "log_task": lambda told, word: told == ("gone" if word == "gone" else "ok ok"),
    "write_tasks": lambda told, word: told == (word if word == "conflict" else (word, 0)),
    "mark_indexed": lambda told, _: told == 0,
    "index_instances": lambda told, _: told == 0,
    "unindex_instances": lambda told, _: told == 0,
}
