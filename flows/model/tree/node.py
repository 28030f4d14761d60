"""Nodes of a task tree as data: what tasks are called, what they read and write, and in which order they stand.

A tree is stored as JSON, its description, so that a process without its code can say how it stands::

    {"data": ["url"], "tasks": [
        {"name": "fetch", "weight": 1, "works": true, "reads": ["url"], "writes": ["pages"]},
        {"name": "images", "weight": 0, "order": "parallel", "asks": ["pages"], "tasks": [...]}]}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.tree.paths import ROOT, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.declared.schemas import Schema

Order: TypeAlias = Literal["parallel", "sequence"]


@dataclass(frozen=True, slots=True)
class Read:
    """A field that a view declares."""

    name: str
    required: bool = False
    """Whether the view has no default for it."""
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A name under which a result, or a field of the data, stands in the context."""

    name: str
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One task.

    Attributes:
        name: Unique among its siblings.
        works: Whether it has a function; without one it is a group.
        reads: The fields of its function's view.
        asks: The fields of its condition's view; None: it has no condition.
        writes: Under which names its result stands in the context. Of a group: the results of what is directly below,
            by their names.
        spreads: Whether these are fields of its result, and not the result itself.
        returns: The schema of its result.
        order: Whether what is below it runs one after another, or side by side.
        continues: Whether its failure counts as skipped for what comes later.
        weight: How much it counts for progress.
        bound: The digest of what its function was bound to by `functools.partial`; empty: nothing.
        asks_bound: The same of its condition.
        queue: For the workers of which queue it is; empty: for those of its execution.
        backend: The name of the backend that runs it; empty: that of its execution does.
    """

    name: str
    works: bool = False
    reads: tuple[Read, ...] = ()
    asks: tuple[Read, ...] | None = None
    writes: tuple[Written, ...] = ()
    spreads: bool = False
    returns: Schema | None = None
    tasks: tuple[Node, ...] = ()
    order: Order = "parallel"
    continues: bool = False
    weight: float = 1.0
    bound: str = ""
    asks_bound: str = ""
    queue: str = ""
    backend: str = ""
    description: str = ""

    @property
    def acts(self) -> bool:
        """Whether it has a record of its own: it has a function or a condition."""
        return self.works or self.asks is not None

    @property
    def may_be_skipped(self) -> bool:
        """Whether the tree may go on without it, and then without all that is below it."""
        return self.asks is not None or (self.works and self.continues)


@dataclass(frozen=True, slots=True)
class Declared:
    """A tree as it was declared: its first tasks run one after another."""

    tasks: tuple[Node, ...]
    data: tuple[Written, ...] = ()
    """The fields of the instance's data."""

    def write(self) -> bytes:
        """Return the tree's description, without schemas: those are for the checks."""
        return to_json({"data": [one.name for one in self.data], "tasks": [_described(one) for one in self.tasks]})

    def paths(self) -> list[str]:
        """Return the paths of all tasks."""
        return _paths(self.tasks, ROOT)


def read_declared(description: bytes) -> Declared:
    """Return a tree from its description.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    try:
        found: dict[str, Any] = from_json(description)
        tasks = tuple(_node(one) for one in found["tasks"])
        return Declared(tasks, tuple(Written(name) for name in found["data"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedJob(f"the description of a tree cannot be read: {error}") from error


def _paths(nodes: Sequence[Node], parent: str) -> list[str]:
    found: list[str] = []
    for node in nodes:
        path = joined(parent, node.name)
        found += [path, *_paths(node.tasks, path)]
    return found


def _described(node: Node) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": node.name,
        "description": node.description,
        "weight": node.weight if node.works else 0,
        "works": node.works,
        "reads": [one.name for one in node.reads],
        "asks": None if node.asks is None else [one.name for one in node.asks],
        "writes": [one.name for one in node.writes],
        "spreads": node.spreads,
        "order": node.order if node.tasks else "",
        "continues": node.continues,
        "bound": node.bound,
        "asks_bound": node.asks_bound,
        "queue": node.queue,
        "backend": node.backend,
        "tasks": [_described(one) for one in node.tasks],
    }
    kept = {"name", "weight", *(() if node.asks is None else ("asks",))}
    return {name: value for name, value in described.items() if value or name in kept}


def _node(found: dict[str, Any]) -> Node:
    asks: list[str] | None = found.get("asks")
    return Node(
        found["name"],
        works=found.get("works", False),
        reads=_reads(found.get("reads", ())),
        asks=None if asks is None else _reads(asks),
        writes=tuple(Written(name) for name in found.get("writes", ())),
        spreads=found.get("spreads", False),
        tasks=tuple(_node(one) for one in found.get("tasks", ())),
        order=cast("Order", found.get("order", "parallel")),
        continues=found.get("continues", False),
        weight=found["weight"],
        bound=found.get("bound", ""),
        asks_bound=found.get("asks_bound", ""),
        queue=found.get("queue", ""),
        backend=found.get("backend", ""),
        description=found.get("description", ""),
    )


def _reads(names: Sequence[str]) -> tuple[Read, ...]:
    return tuple(Read(name) for name in names)
