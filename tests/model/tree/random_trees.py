"""Random trees, and a model of what their tasks are made from that knows neither revisions nor digests."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from flows.model.tree.node import Declared, Node, Read, Written

Path: TypeAlias = str

#: Some names are written by tasks too.
DATA: Final = "abxy"
DESTS: Final = "xyz"


def random_tree(draw: random.Random) -> Declared:
    """Return a tree of up to some 12 tasks; not all of them can work."""
    left = [draw.randint(2, 12)]
    tasks = tuple(_random_node(draw, f"t{nth}", left, 0) for nth in range(draw.randint(1, 4)))
    return Declared(tasks, tuple(Written(name) for name in DATA))


def _random_node(draw: random.Random, name: str, left: list[int], depth: int) -> Node:
    left[0] -= 1
    below: list[Node] = []
    while left[0] > 0 and depth < 3 and draw.random() < 0.45:
        below.append(_random_node(draw, f"t{len(below)}", left, depth + 1))
    works = not below or draw.random() < 0.5
    pool = DATA + DESTS + DESTS
    return Node(
        name,
        works=works,
        reads=_random_reads(draw, pool) if works else (),
        asks=_random_reads(draw, pool) if draw.random() < 0.25 else None,
        writes=(Written(draw.choice(DESTS)),) if draw.random() < (0.7 if works else 0.2) else (),
        tasks=tuple(below),
        order=draw.choice(("parallel", "sequence")),
        continues=works and draw.random() < 0.15,
        bound=draw.choice(("", "b")),
        asks_bound=draw.choice(("", "c")),
    )


def _random_reads(draw: random.Random, pool: str) -> tuple[Read, ...]:
    names = {draw.choice(pool) for _ in range(draw.randint(0, 2))}
    return tuple(map(Read, sorted(names | ({"argument"} if draw.random() < 0.1 else set()))))


@dataclass
class Model:
    """What each task was made from, in full: `made[path]` is (how it ended, a new number, what it was given)."""

    tree: Declared
    data: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DATA, 0))
    made: dict[Path, tuple[str, int, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes: dict[Path, Node] = {}
        self._add("#", self.tree.tasks)

    def _add(self, above: Path, nodes: tuple[Node, ...]) -> None:
        for node in nodes:
            self.nodes[f"{above}.{node.name}"] = node
            self._add(f"{above}.{node.name}", node.tasks)

    def children(self, path: Path) -> list[Path]:
        """Return the tasks directly below."""
        return [one for one in self.nodes if one.rpartition(".")[0] == path]

    def in_order(self, path: Path) -> bool:
        """Return whether these run one after another."""
        return path == "#" or self.nodes[path].order == "sequence"

    def seen_of(self, branch: Path, name: str) -> list[Path]:
        """Return who writes a name, seen from behind a branch; several: they stand side by side."""
        node = self.nodes[branch]
        if not node.works and name in {one.name for one in node.writes}:
            return [branch]
        inner = [found for one in self.children(branch) if (found := self.seen_of(one, name))]
        if inner:
            return inner[-1] if self.in_order(branch) else [one for found in inner for one in found]
        return [branch] if node.works and name in {one.name for one in node.writes} else []

    def writer(self, path: Path, name: str) -> Path:
        """Return who writes a name for a task; empty: it is of the data. Raises LookupError where nobody does."""
        at = path
        while at != "#":
            above = at.rpartition(".")[0]
            near = self.children(above)
            others = near[: near.index(at)][::-1] if self.in_order(above) else [one for one in near if one != at]
            found = [writers for one in others if (writers := self.seen_of(one, name))]
            writers = [] if not found else found[0] if self.in_order(above) else [one for some in found for one in some]
            if not writers and above != "#" and self.nodes[above].works:
                writers = [above for one in self.nodes[above].writes if one.name == name]
            if len(writers) > 1:
                raise LookupError(path, name, writers)
            if writers:
                return writers[0]
            at = above
        if name in self.data:
            return ""
        raise LookupError(path, name)

    def argument(self, path: Path) -> Path:
        """Return whose result is a task's argument; empty: nobody's."""
        above = path.rpartition(".")[0]
        near = self.children(above)
        if self.in_order(above) and near.index(path):
            before = near[near.index(path) - 1]
            return before if self.nodes[before].works else ""
        return "" if above == "#" else above if self.nodes[above].works else self.argument(above)

    def givers(self, path: Path) -> list[Path]:
        """Return whose results make up what a path writes."""
        return [path] if self.nodes[path].works else [one for at in self.children(path) for one in self.givers(at)]

    def given(self, path: Path, how: str) -> Any:
        """Return what a task would be given now, in full."""
        node = self.nodes[path]
        reads = (node.asks or ()) if how == "skipped" else (*node.reads, *(node.asks or ()))
        found: dict[str, Any] = {"bound": (how != "skipped" and node.bound, node.asks_bound)}
        for name in sorted({one.name for one in reads}):
            writer = self.argument(path) if name == "argument" else self.writer(path, name)
            if writer:
                found[name] = [(one, self.made.get(one)) for one in self.givers(writer)]
            elif name != "argument":
                found[name] = self.data[name]
        return found

    def sources(self, path: Path, how: str = "ok") -> set[Path]:
        """Return whose results a task is given."""
        given = self.given(path, how)
        return {one for value in given.values() if isinstance(value, list) for one, _ in value}

    def gates(self, path: Path) -> list[Path]:
        """Return the tasks above that may be skipped, the outermost first."""
        above = [one for one in self.nodes if path.startswith(f"{one}.")]
        return [one for one in above if self.nodes[one].asks is not None or self.nodes[one].continues]

    def is_fresh(self, path: Path) -> bool:
        """Return whether running all again from the start would give a task what it was given."""
        how, _, given = self.made.get(path, ("", 0, None))
        gates = self.gates(path)
        if not how or not all(map(self.is_fresh, gates)):
            return False
        shut = any(self.made[gate][0] != "ok" for gate in gates)
        if shut or how == "above":
            return shut and how == "above"
        return bool(given == self.given(path, how)) and all(map(self.is_fresh, self.sources(path, how)))

    def before(self, path: Path) -> set[Path]:
        """Return what must have ended before a task begins."""
        found = {one for one in self.nodes if path.startswith(f"{one}.")}
        at = path
        while at != "#":
            above = at.rpartition(".")[0]
            near = self.children(above) if self.in_order(above) else [at]
            for branch in near[: near.index(at)]:
                found |= {one for one in self.nodes if one == branch or one.startswith(f"{branch}.")}
            at = above
        by_name = {one for one in self.sources(path) if one}
        return {one for one in found | by_name if self.nodes[one].works or self.nodes[one].asks is not None}

    def uses(self, path: Path) -> set[Path]:
        """Return all that a task's result hangs on, over any number of others."""
        found: set[Path] = set()
        left = {path}
        while left:
            one = left.pop()
            more = self.sources(one) | set(self.gates(one))
            left |= more - found
            found |= more
        return found
