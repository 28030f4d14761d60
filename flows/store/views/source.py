"""The sources that a query reads: the lookup lists and the places of jobs, and which are the cheapest for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flows.model.state import JobState
from flows.store.client.wire import ReplyError
from flows.store.keys.rules import RuleKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.find.conjunction import Conjunction
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings

#: What a script calls a source of jobs in one state.
_KINDS: Final = {JobState.WAITING: "waiting", JobState.DONE: "sample"}


@dataclass(frozen=True, slots=True)
class Source:
    """A list or a sorted set of ids in which jobs are looked for."""

    kind: str
    """`lookup`, `waiting`, `groups`, `sample` or `set`, as `find.lua` has them."""
    state: str
    """Of a place, the state of its jobs; else empty."""
    name: str
    """Of a place, its queue, and behind a slash a priority over 1 or what counts its groups; else
    `<attribute>:<text>`."""
    key: str
    counted_at: str = ""
    """Of groups, the hash that has the number of their jobs."""

    @property
    def queue(self) -> str:
        """Of a place, its queue."""
        return self.name.partition("/")[0]

    @property
    def length_command(self) -> Command:
        """The command that asks for its length; nothing is answered for groups that never had a job."""
        if self.kind == "groups":
            return ("HGET", self.counted_at, self.name.rpartition("/")[2])
        return ("ZCARD" if self.kind == "set" else "LLEN", self.key)


def whole_of(reply: Any) -> int:
    """Return a number that the server holds, 0 where somebody has written something else."""
    try:
        return 0 if reply is None or isinstance(reply, ReplyError) else int(reply)
    except ValueError:
        return 0


class Sources:
    """Names the sources of one flow, and chooses the cheapest."""

    def __init__(self, settings: FlowSettings, queues: Sequence[str]) -> None:
        self._settings = settings
        #: Without the child queues, whose jobs are asked for by their queue.
        self._own = [queue for queue in queues if ":" not in queue]

    def lookup(self, attribute: str, text: str) -> Source:
        """Return a lookup list of the flow's own jobs."""
        key = self._settings.keys.lookup(self._settings.flow, attribute, text)
        return Source("lookup", "", f"{attribute}:{text}", key)

    def places(self, state: JobState, queue: str) -> list[Source]:
        """Return where the jobs of a queue stand that are in a state: several where it has priorities or groups."""
        first, rules = self.place(state, queue), self._settings.rules.get(queue)
        if state != JobState.WAITING or rules is None:
            return [first]
        keys, state_name = RuleKeys(self._settings.keys.namespace), state.value
        lists = [
            Source("waiting", state_name, f"{queue}/{n}", self._settings.keys.waiting(queue, n))
            for n in range(2, rules.priorities + 1)
        ]
        groups = [
            Source("groups", state_name, f"{queue}/n{n}", keys.ring(queue, n), keys.fair(queue))
            for n in range(1, rules.priorities + 1 if rules.group else 1)
        ]
        return [first, *lists, *groups]

    def place(self, state: JobState, queue: str) -> Source:
        """Return where the jobs of a queue stand that are in a state; of done ones, the sample."""
        keys = self._settings.keys
        match state:
            case JobState.WAITING:
                key = keys.waiting(queue)
            case JobState.DELAYED:
                key = keys.delayed(queue)
            case JobState.PROCESSING:
                key = keys.processing(queue)
            case JobState.CHILDREN:
                key = keys.children(queue)
            case JobState.DONE | JobState.FAILED | JobState.CANCELLED:
                key = keys.ended_jobs(queue, state.value)
        return Source(_KINDS.get(state, "set"), state.value, queue, key)

    def flow_of(self, source: Source) -> str:
        """Return the flow of the jobs in a source."""
        return self._settings.flow_of(source.queue) if source.state else self._settings.flow

    def lookups_of(self, asked: Conjunction) -> list[Source]:
        """Return the lookup lists in which all jobs stand that fit; none where one of them would do alone."""
        if asked.queues is not None and all(":" in queue for queue in asked.queues):
            return []  # jobs of child queues stand in none
        return [self.lookup(*pair) for pair in sorted(asked.lookups)]

    def places_of(self, asked: Conjunction) -> list[Source]:
        """Return the places in which all jobs stand that fit, but for done ones."""
        states = JobState if asked.states is None else [state for state in JobState if state in asked.states]
        queues = self._own if asked.queues is None else sorted(asked.queues)
        if asked.lookups:
            queues = [queue for queue in queues if ":" not in queue]
        return [place for state in states for queue in queues for place in self.places(state, queue)]

    async def cheapest(self, connection: Connection, asked: Sequence[Conjunction]) -> list[list[Source]]:
        """Return for each alternative the sources to read, without the empty ones: all of them together are read.

        Raises:
            StoreError: the server cannot be used.
        """
        choices = [self._choices(one) for one in asked]
        all_of_them = {source for one in choices for sources in one for source in sources}
        lengths = await self.lengths(connection, sorted(all_of_them, key=lambda source: source.key))

        def ids(sources: Sequence[Source]) -> int:
            return sum(lengths[source] for source in sources)

        return [[source for source in min(one, key=ids) if lengths[source]] if one else [] for one in choices]

    async def lengths(self, connection: Connection, sources: Sequence[Source]) -> dict[Source, int]:
        """Return how many ids stand in sources; one whose key somebody else has written counts as empty.

        Raises:
            StoreError: the server cannot be used.
        """
        replies = await connection.together([source.length_command for source in sources])
        return dict(zip(sources, map(whole_of, replies), strict=True))

    def _choices(self, asked: Conjunction) -> list[list[Source]]:
        lookups = [[source] for source in self.lookups_of(asked)]
        # A done job stands in no place for long: where a lookup finds it, the sample would not do.
        if lookups and (asked.states is None or JobState.DONE in asked.states):
            return lookups
        return [*lookups, self.places_of(asked)]
