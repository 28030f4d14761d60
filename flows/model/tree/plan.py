"""`TreePlan`: a tree as it was declared, checked, with what each of its tasks depends on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from flows.errors import DeclarationError
from flows.model.names import FIELD
from flows.model.tree.errors import UnknownPath
from flows.model.tree.moments import Moments
from flows.model.tree.paths import MAX_DEPTH, MAX_TASKS, NAME, ROOT, depth_of, joined, parent_of
from flows.model.tree.roll_up import Weight
from flows.model.tree.scopes import ARGUMENT, DATA, Sources, find_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.model.tree.node import Declared, Node


class Given(NamedTuple):
    """What a task is given: by both its views, or by its condition's alone.

    Attributes:
        inputs: The tasks whose results it reads by name.
        argument: The task whose result is its argument, where the execution gives none.
        fields: The fields of the data; `data` stands for all.
        bound: The digest of what its functions are bound to.
    """

    inputs: frozenset[str]
    argument: str | None
    fields: tuple[str, ...]
    bound: str

    @property
    def needs(self) -> frozenset[str]:
        """All whose results it may be given."""
        return self.inputs if self.argument is None else self.inputs | {self.argument}


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task with what it depends on.

    Attributes:
        sources: Which task writes each field of its views.
        given: What both its views read.
        asked: What its condition's view reads.
        gate: The nearest task above it that may be skipped.
    """

    path: str
    node: Node
    sources: Sources
    given: Given
    asked: Given
    gate: str | None


class TreePlan:
    """A tree of tasks, checked.

    Attributes:
        declared: The tree as it was declared.
        nodes: All tasks by path, each after the one above it.
        tasks: Those that have a record, with what they depend on, in an order in which they can be executed.

    Raises DeclarationError, with the path of the task, where a name is none or comes twice, there are too many tasks or
    levels, a field of a view cannot be given, or tasks wait for each other.
    """

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.nodes: dict[str, Node] = {}
        _check_data(declared)
        self._add(declared.tasks, ROOT)
        sources = find_sources(declared)
        self._below = self._gather_below()
        planned = {path: self._planned(path, sources[path]) for path, node in self.nodes.items() if node.acts}
        self.moments = Moments(self.nodes, {path: one.given.needs for path, one in planned.items()})
        self.tasks: Final = {path: planned[path] for path in self.moments.order if path in planned}

    @cached_property
    def weights(self) -> list[Weight]:
        """What each task counts for progress, the tree itself first."""
        below = (Weight(path, parent_of(path), node.weight if node.works else 0.0) for path, node in self.nodes.items())
        return [Weight(ROOT, "", 0.0), *below]

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """By task, which ones are given its result, or are skipped where it is."""
        found: dict[str, list[str]] = {path: [] for path in self.tasks}
        for path, task in self.tasks.items():
            needs = task.given.needs
            for one in needs if task.gate is None else needs | {task.gate}:
                found[one].append(path)
        return found

    def node(self, path: str) -> Node:
        """Return the task at a path.

        Raises:
            UnknownPath: there is none.
        """
        node = self.nodes.get(path)
        if node is None:
            raise UnknownPath(path, self.nodes)
        return node

    def below(self, path: str) -> list[str]:
        """Return all tasks with a record that stand below a path."""
        return self._below[path]

    def givers(self, path: str) -> Iterator[str]:
        """Yield whose results make up what a path has written: its own, or of a group those of what is below."""
        node = self.nodes[path]
        if node.works:
            yield path
        else:
            for one in node.tasks:
                yield from self.givers(joined(path, one.name))

    def takers(self, path: str) -> list[str]:
        """Return which tasks an argument is for that is given to the execution of a path: of a group the first ones."""
        node = self.nodes.get(path)
        if node is not None and node.works:
            return [path]
        tasks = self.declared.tasks if node is None else node.tasks
        first = tasks[:1] if node is None or node.order == "sequence" else tasks
        return [taker for one in first for taker in self.takers(joined(path, one.name))]

    def earlier(self, path: str) -> Iterator[str]:
        """Yield the siblings that stand before a task in a sequence, the nearest first."""
        at = self.moments.previous.get(path)
        while at is not None:
            yield at
            at = self.moments.previous.get(at)

    def whole(self, path: str) -> Iterator[str]:
        """Yield a task and all below it, those that have a record."""
        if path in self.tasks:
            yield path
        yield from self._below[path]

    def _add(self, nodes: tuple[Node, ...], parent: str) -> None:
        for node in nodes:
            if not NAME.fullmatch(node.name):
                raise DeclarationError(f"task {node.name!r} in {parent}: use 1 to 64 of the characters A-Z a-z 0-9 _ -")
            path = joined(parent, node.name)
            if path in self.nodes:
                raise DeclarationError(f"{path}: two tasks have this name: rename one")
            if depth_of(path) > MAX_DEPTH:
                raise DeclarationError(
                    f"{path}: it stands in level {depth_of(path)}, and there are {MAX_DEPTH} at most"
                )
            if len(self.nodes) == MAX_TASKS:
                raise DeclarationError(f"{path}: the tree has over {MAX_TASKS:,} tasks: make several trees")
            self.nodes[path] = node
            _check_node(path, node)
            self._add(node.tasks, path)

    def _gather_below(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {ROOT: [], **{path: [] for path in self.nodes}}
        for path, node in self.nodes.items():
            above = path
            while node.acts and above != ROOT:
                above = parent_of(above)
                found[above].append(path)
        return found

    def _planned(self, path: str, sources: Sources) -> PlannedTask:
        node = self.nodes[path]
        asks = [one.name for one in node.asks or ()]
        reads = [*(one.name for one in node.reads), *asks]
        above = parent_of(path)
        while above != ROOT and not self.nodes[above].may_be_skipped:
            above = parent_of(above)
        return PlannedTask(
            path,
            node,
            sources,
            self._given(reads, {**sources.reads, **sources.asks}, sources.argument, node.bound + node.asks_bound),
            self._given(asks, sources.asks, sources.argument, node.asks_bound),
            None if above == ROOT else above,
        )

    def _given(self, names: list[str], writers: Mapping[str, str], argument: str | None, bound: str) -> Given:
        inputs = frozenset(one for writer in writers.values() if writer for one in self.givers(writer))
        fields = (DATA,) if DATA in names else tuple(dict.fromkeys(name for name in names if writers.get(name) == ""))
        return Given(inputs, argument if ARGUMENT in names else None, fields, bound)


def _check_data(declared: Declared) -> None:
    for one in declared.data:
        if one.name in {DATA, ARGUMENT}:
            raise DeclarationError(f"the data has a field {one.name!r}, which views read as something else: rename it")
    if not declared.tasks:
        raise DeclarationError("the tree has no tasks: give it some")


def _check_node(path: str, node: Node) -> None:
    if not node.works and not node.tasks:
        raise DeclarationError(f"{path}: it has neither a function nor subtasks: give it one of them")
    if not math.isfinite(node.weight) or node.weight < 0:
        raise DeclarationError(f"{path}: weight={node.weight!r}: give a number from 0 on")
    for one in node.writes:
        if one.name in {DATA, ARGUMENT} or not FIELD.fullmatch(one.name):
            raise DeclarationError(
                f"{path}: dest={one.name!r}: give the name of a field, other than {DATA}, {ARGUMENT}"
            )
