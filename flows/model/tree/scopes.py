"""Which task, or field of the data, a field of a view stands for: the nearest writer before the reader.

From the reader outwards, level by level: in a sequence what stands before it, the last of those first; side by side any
sibling, which is then waited for; then the task above. At the end stand the fields of the data.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NamedTuple

from flows.errors import DeclarationError
from flows.model.tree.paths import ROOT, joined
from flows.model.tree.schema_fit import fits
from flows.model.tree.type_words import type_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flows.model.declared.schemas import Schema
    from flows.model.tree.node import Declared, Node, Read

#: Fields of a view that are not looked for: the data as a whole, and what the execution or the task before gives.
DATA: Final = "data"
ARGUMENT: Final = "argument"


class Sources(NamedTuple):
    """Which tasks write the fields of a task's two views, by name; without those that are not looked for.

    A field of the data has the empty path.
    """

    reads: Mapping[str, str]
    asks: Mapping[str, str]
    argument: str | None
    """The task whose result is its argument, where the execution gives none."""


class _Writer(NamedTuple):
    path: str
    schema: Schema | None
    may_lack: bool = False
    """Whether the tree may go on without it, seen from outside of the branch."""
    rival: str = ""
    """Another task beside it that writes the same."""


class _Level:
    """What can be seen from one level of the tree, while its branches are looked at in order."""

    def __init__(self, node: Node | None, path: str) -> None:
        self._node = node
        self._path = path
        self._before: dict[str, _Writer] = {}
        #: Side by side: what each branch writes.
        self._beside: dict[str, list[tuple[str, _Writer]]] = {}
        self._branch = ""

    def fill(self, branches: Mapping[str, Mapping[str, _Writer]]) -> None:
        """Take what the branches write that stand side by side."""
        for branch, writers in branches.items():
            for name, writer in writers.items():
                self._beside.setdefault(name, []).append((branch, writer))

    def enter(self, branch: str) -> None:
        """Look from this branch from now on."""
        self._branch = branch

    def leave(self, writers: Mapping[str, _Writer]) -> None:
        """Go on behind a branch that writes these, in a sequence."""
        self._before.update(writers)

    def find(self, name: str) -> _Writer | None:
        """Return who writes this, seen from the branch."""
        if name in self._before:
            return self._before[name]
        others = [writer for branch, writer in self._beside.get(name, ())[:3] if branch != self._branch]
        if others:
            return others[0] if len(others) == 1 else others[0]._replace(rival=others[1].path)
        node = self._node
        if node is not None and node.works:
            return next((_Writer(self._path, one.schema) for one in node.writes if one.name == name), None)
        return None

    def names(self) -> Iterator[str]:
        """Yield what can be seen."""
        yield from self._before
        yield from self._beside
        if self._node is not None:
            yield from (one.name for one in self._node.writes)


def find_sources(tree: Declared) -> dict[str, Sources]:
    """Return where the fields of all tasks' views come from, by path.

    Raises:
        DeclarationError: nobody before a task writes what it reads, several do side by side, they write another type,
            or may be skipped while the view has no default.
    """
    return _Finder(tree).run()


class _Finder:
    def __init__(self, tree: Declared) -> None:
        self._tree = tree
        self._data = {one.name: one for one in tree.data}
        self._sources: dict[str, Sources] = {}
        self._writes: dict[str, dict[str, _Writer]] = {}
        #: Tasks that write nothing, since their names are no identifiers, by what those would be.
        self._nameless: dict[str, str] = {}

    def run(self) -> dict[str, Sources]:
        for node in self._tree.tasks:
            self._gather(node, joined(ROOT, node.name))
        self._visit_branches(self._tree.tasks, ROOT, _Level(None, ROOT), [], None, is_sequence=True)
        return self._sources

    def _gather(self, node: Node, path: str) -> None:
        """Note what a task and all below it write, as it is seen by what comes later."""
        own = {one.name: _Writer(path, one.schema) for one in node.writes}
        if node.works and not own:
            self._nameless[node.name.replace("-", "_")] = path
        below: dict[str, _Writer] = {}
        for task in node.tasks:
            at = joined(path, task.name)
            self._gather(task, at)
            for name, writer in self._writes[at].items():
                rival = below.get(name)
                below[name] = writer._replace(rival=rival.path) if rival and node.order == "parallel" else writer
        found = {**own, **below} if node.works else {**below, **own}
        if node.may_be_skipped:
            found = {name: writer._replace(may_lack=True) for name, writer in found.items()}
        self._writes[path] = found

    def _visit_branches(
        self,
        nodes: Sequence[Node],
        path: str,
        level: _Level,
        levels: list[_Level],
        argument: _Writer | None,
        *,
        is_sequence: bool,
    ) -> None:
        around = [*levels, level]
        if not is_sequence:
            level.fill({at: self._writes[at] for at in (joined(path, one.name) for one in nodes)})
        for node in nodes:
            at = joined(path, node.name)
            level.enter(at)
            self._visit(node, at, around, argument)
            if is_sequence:
                level.leave(self._writes[at])
                argument = _Writer(at, node.returns, node.may_be_skipped) if node.works else None

    def _visit(self, node: Node, path: str, levels: list[_Level], argument: _Writer | None) -> None:
        given = None
        for read in (*node.reads, *(node.asks or ())):
            if read.name == ARGUMENT and argument is not None:
                given = argument.path
                _check(path, read, argument)
        self._sources[path] = Sources(
            {one.name: self._source(path, one, levels) for one in node.reads if one.name not in {DATA, ARGUMENT}},
            {one.name: self._source(path, one, levels) for one in node.asks or () if one.name not in {DATA, ARGUMENT}},
            given,
        )
        below = _Writer(path, node.returns) if node.works else argument
        self._visit_branches(node.tasks, path, _Level(node, path), levels, below, is_sequence=node.order == "sequence")

    def _source(self, path: str, read: Read, levels: list[_Level]) -> str:
        for level in reversed(levels):
            writer = level.find(read.name)
            if writer is not None:
                _check(path, read, writer)
                return writer.path
        if read.name not in self._data:
            raise DeclarationError(
                f"{path}: nobody before it writes {read.name!r}{self._nearest(path, read.name, levels)}"
            )
        _check(path, read, _Writer("", self._data[read.name].schema))
        return ""

    def _nearest(self, path: str, name: str, levels: list[_Level]) -> str:
        later = next((one[name] for one in self._writes.values() if name in one and one[name].path != path), None)
        if later is not None:
            return f", but {later.path} does: let it come before, or beside"
        if name in self._nameless:
            return f": {self._nameless[name]} does with dest={name!r}, as its name is no identifier"
        seen = {*self._data, *(one for level in levels for one in level.names())}
        near = get_close_matches(name, seen, 1)
        return f": did you mean {near[0]!r}?" if near else f"; there is {', '.join(sorted(seen)[:10]) or 'nothing'}"


def _check(path: str, read: Read, writer: _Writer) -> None:
    """Check that a writer is the only one near, and writes what is read whenever the reader runs."""
    by = writer.path or "the data"
    if writer.rival:
        raise DeclarationError(
            f"{path}: {read.name!r} is written by {writer.rival} and by {by}, side by side: give one of them another "
            "dest="
        )
    if not fits(writer.schema, read.schema):
        raise DeclarationError(
            f"{path}: its view reads {read.name!r} as another type than {by} writes it: "
            f"{type_in(read.schema)}, and not {type_in(writer.schema)}"
        )
    if writer.may_lack and read.required:
        raise DeclarationError(
            f"{path}: {by}, which writes {read.name!r}, may be skipped: give the field of the view a default"
        )
