"""In which order the tasks of a tree may begin: what must have ended before each, by its place and by its inputs.

Each task has three moments: it may begin, it has done its own work, and all below it has ended. The edges between them
are few: a task waits for the end of its neighbour, and not for all that is below that one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError
from flows.model.tree.paths import parent_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flows.model.tree.node import Node

_BEGINS: Final = 0
_WORKED: Final = 1
_ENDED: Final = 2
_MOMENTS: Final = 3


class Moments:
    """The moments of all tasks of a tree, and which comes after which.

    Args:
        nodes: All tasks by path, each after the one above it.
        inputs: For each task, whose results it may be given.

    Raises DeclarationError where tasks wait for each other in a circle.
    """

    def __init__(self, nodes: Mapping[str, Node], inputs: Mapping[str, Collection[str]]) -> None:
        self.paths = list(nodes)
        self._at = {path: index * _MOMENTS for index, path in enumerate(self.paths)}
        count = len(self.paths) * _MOMENTS
        #: The moments that wait for each one.
        self.after: list[list[int]] = [[] for _ in range(count)]
        self._before = [0] * count
        #: By moment, the task whose own work it is; None: it is another one.
        self.works: list[str | None] = [None] * count
        self.works[_WORKED::_MOMENTS] = self.paths
        #: In a sequence, the sibling before each task but the first.
        self.previous: dict[str, str] = {}
        last: dict[str, str] = {}
        ends: dict[str, int] = {}
        for path, at in self._at.items():
            node, given, worked = nodes[path], inputs.get(path, ()), at + _WORKED
            # Where one of a task's moments follows from another alone, that stands for both.
            begins = ends[path] = worked
            if given:
                begins = at + _BEGINS
                self._join(begins, worked)
            if node.tasks:
                ends[path] = at + _ENDED
                self._join(worked, ends[path])
            above = parent_of(path)
            parent = nodes.get(above)
            if parent is not None:
                self._join(self._at[above] + _WORKED, begins)
                self._join(ends[path], ends[above])
            if parent is None or parent.order == "sequence":
                if above in last:
                    self.previous[path] = last[above]
                    self._join(ends[last[above]], begins)
                last[above] = path
            for source in given:
                self._join(self._at[source] + _WORKED, worked)
        #: The moments that wait for none.
        self.first = [
            moment
            for moment, count in enumerate(self._before)
            if not count and (self.works[moment] or self.after[moment])
        ]
        progress = Progress(self, frozenset())
        #: All paths, in an order in which each can do its work after those that it waits for.
        self.order = progress.passed
        if len(self.order) < len(self.paths):
            raise DeclarationError(f"tasks wait for each other: {self._circle(progress)}: let one read less")

    @property
    def counts(self) -> list[int]:
        """For how many others each moment waits."""
        return list(self._before)

    def at_work(self, path: str) -> int:
        """Return the moment at which a task has done its own work."""
        return self._at[path] + _WORKED

    def _join(self, one: int, other: int) -> None:
        self.after[one].append(other)
        self._before[other] += 1

    def _circle(self, progress: Progress) -> str:
        """Return a circle as a message tells it: each moment that never comes waits for another one of them."""
        stuck = {moment for moment, count in enumerate(progress.counts) if count}
        waits_for = {later: moment for moment in sorted(stuck) for later in self.after[moment] if later in stuck}
        seen: list[int] = []
        moment = min(stuck)
        while moment not in seen:
            seen.append(moment)
            moment = waits_for[moment]
        found = [self.paths[one // _MOMENTS] for one in (*seen[seen.index(moment) :], moment)]
        names = [path for path, before in zip(found, ["", *found], strict=False) if path != before]
        return f"{names[0]} waits for {', which waits for '.join(names[1:])}"


class Progress:
    """How far an execution of some tasks has come: which of them may do their work now.

    Args:
        moments: Those of the tree.
        wanted: The tasks that are executed; all others count as done.
    """

    def __init__(self, moments: Moments, wanted: Collection[str]) -> None:
        self._moments = moments
        self._wanted = wanted
        self.counts = moments.counts
        #: The tasks that were passed, in order.
        self.passed: list[str] = []
        self._ready: list[str] = []
        self._pass([*moments.first])

    def take(self) -> list[str]:
        """Return the tasks that may begin now, each once."""
        ready, self._ready = self._ready, []
        return ready

    def end(self, path: str) -> None:
        """Go on behind a task that has ended."""
        self._pass(self._reached(self._moments.at_work(path), []))

    def _pass(self, reached: list[int]) -> None:
        works = self._moments.works
        for moment in reached:  # which grow meanwhile
            path = works[moment]
            if path is None:
                self._reached(moment, reached)
            elif path in self._wanted:
                self._ready.append(path)
            else:
                self.passed.append(path)
                self._reached(moment, reached)

    def _reached(self, moment: int, reached: list[int]) -> list[int]:
        """Add to what is reached the moments that have waited for this one last; return that."""
        counts = self.counts
        for later in self._moments.after[moment]:
            counts[later] -= 1
            if not counts[later]:
                reached.append(later)
        return reached
