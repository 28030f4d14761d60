"""`Storage`: where instances stand; `tests/tree/conformance/storage.py` says what each of them has to keep to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from flows.errors import FlowsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from flows.model.runs.new_run import NewRun
    from flows.model.tree.task_record import InstanceRecord, InstanceStatus, TaskRecord
    from flows.store.jobs.log_line import LogLine

#: No revision is later: who loads since then asks for no tasks.
NO_TASKS: Final = 1 << 60
#: A call writes so many records at most.
MOST_RECORDS: Final = 200
#: So many lines of a task's log are kept, the last ones.
MOST_LINES: Final = 1000

BeginWord: TypeAlias = Literal["begun", "same", "busy", "moved", "gone"]


class Conflict(FlowsError):
    """The instance has another revision than was seen, or is being executed: read it again."""


@dataclass(slots=True)
class InstanceRow:
    """What lists show of an instance, and by what it is found; it is never changed: frozen, it takes longer to make.

    Attributes:
        id: Its id, a UUIDv7: ids are in order of time.
        app: The app of its generator.
        status: That of its last execution; `idle` before the first.
        progress: How far the last execution came, from 0 to 1.
        created: When it was, in milliseconds by the clock of the storage, as `updated`.
        revision: That of its last change that a row shows.
    """

    id: str
    app: str
    generator: str
    realm: str = ""
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    ephemeral: bool = False
    status: InstanceStatus = "idle"
    progress: float = 0.0
    created: int = 0
    updated: int = 0
    revision: int = 0


class Execution(NamedTuple):
    """An execution that is to begin.

    Attributes:
        id: Made by the caller, so that what is sent twice begins once.
        path: What was asked for.
        targets: The tasks that it executes, in order.
        argument: What it was given, as JSON; None: nothing.
        run: The run that is to work on it: a storage that stands where runs do starts it in the same step.
    """

    id: str
    path: str
    targets: tuple[str, ...]
    argument: bytes | None = None
    run: NewRun | None = None


class Snapshot(NamedTuple):
    """An instance as it stands.

    Attributes:
        row: What lists show of it, at the instance's revision.
        data: The data, as a JSON object.
        tree: The description of the tree (`Declared`).
        changed: The revision of the last change of the data or of the tree.
        record: What its last execution has come to.
        execution: That execution.
        tasks: The records of its tasks, by path; of a read since a revision, those that were written after it.
    """

    row: InstanceRow
    data: bytes
    tree: bytes
    changed: int
    record: InstanceRecord
    execution: Execution | None
    tasks: Mapping[str, TaskRecord]

    @property
    def revision(self) -> int:
        """The instance's revision."""
        return self.row.revision


class Token(NamedTuple):
    """Who writes: an attempt at an execution. One with a higher fence has taken over from those with lower ones."""

    execution: str
    run: str = ""
    fence: int = 1
    worker: str = ""

    @property
    def is_child(self) -> bool:
        """Whether it is a child run of the execution, which works on one task of it."""
        return self.run not in {"", self.execution}


class Begun(NamedTuple):
    """How the beginning of an execution went.

    Attributes:
        word: `begun`; `same`: it had been begun before; `busy`: another one is under way; `moved`: the instance has
            another revision; `gone`: there is no such instance.
        execution: The one that is under way.
        revision: The instance's revision now.
        is_started: Whether its run was started with it.
    """

    word: BeginWord
    execution: str = ""
    revision: int = 0
    is_started: bool = False


class Write(NamedTuple):
    """A record to write. Without a result, an earlier one stays."""

    path: str
    record: TaskRecord
    result: bytes | None = None


class InstanceChange(NamedTuple):
    """What is to be another one; None: it stays."""

    data: bytes | None = None
    tree: bytes | None = None
    name: str | None = None
    labels: Mapping[str, str] | None = None


class Unindexed(NamedTuple):
    """An instance that the index may not know as it stands.

    Attributes:
        id: Its id.
        revision: That of the last change that its row shows; 0: it is gone.
        row: Its row; None: it is gone.
    """

    id: str
    revision: int
    row: InstanceRow | None


class Changes(NamedTuple):
    """What one call of `write` has written.

    Attributes:
        first: The revision of the first record: who holds the one before it misses nothing.
        records: Those of tasks, by path, each with its revision.
        record: The instance's own, if it was written too: the last one.
    """

    first: int
    records: Mapping[str, TaskRecord]
    record: InstanceRecord | None = None


#: Takes what has changed; None: something may have, so look.
Hear: TypeAlias = "Callable[[Changes | None], None]"


class Storage(Protocol):
    """Keeps instances. Each call is done as a whole or not at all, also where its caller dies."""

    async def create(self, row: InstanceRow, data: bytes, tree: bytes, key: str = "") -> str:
        """Create an instance at revision 1, with the storage's times; return the id of the one that is there now.

        Args:
            row: Its id, and what else lists show of it.
            data: The data, as a JSON object.
            tree: The description of the tree.
            key: An instance of the app that was created with this key, and is there, takes its place; empty: none.
        """
        ...

    async def load(self, instance_id: str, *, since: int = 0) -> Snapshot | None:
        """Return an instance, with the tasks' records of later revisions than `since`; None: there is none."""
        ...

    async def begin(self, instance_id: str, execution: Execution, tree: bytes, if_revision: int) -> Begun:
        """Begin an execution, unless another one is under way or the instance has another revision.

        The description of the tree is written anew, and the records of paths that it has no more are dropped.
        """
        ...

    async def write(
        self,
        instance_id: str,
        token: Token,
        writes: Sequence[Write],
        end: InstanceRecord | None = None,
        *,
        ttl: float | None = None,
    ) -> int:
        """Write records of an execution, up to 200, each under the next revision, in order; at its end, that last.

        A higher fence than before takes over; a call without records does that alone. A child run takes nothing over:
        it writes over records that are running.

        Args:
            instance_id: The instance.
            token: Who writes.
            writes: The records; they get their `order` here.
            end: What the execution has come to: with it, it is under way no more.
            ttl: With the end, after how many seconds the instance expires.

        Returns:
            The revision of the last one.

        Raises:
            LostLease: another execution, or an attempt with a higher fence, has the instance; or a task of a child run
                is running no more. Nothing was written.
        """
        ...

    async def change(self, instance_id: str, change: InstanceChange, if_revision: int) -> int:
        """Change an instance; return its revision.

        Records of paths that a new tree has no more are dropped.

        Raises:
            Conflict: it has another revision, or the data or the tree is to be changed and it is being executed.
            InstanceGone: there is none.
        """
        ...

    async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the results that there are of these tasks, as JSON."""
        ...

    async def log(self, instance_id: str, path: str, lines: Sequence[str]) -> None:
        """Add lines to a task's log, as `pack_line` makes them; an instance that is gone has no log."""
        ...

    async def read_log(self, instance_id: str, path: str, since: int = 0) -> list[LogLine]:
        """Return the lines of a task's log after the number `since`."""
        ...

    async def delete(self, instance_id: str) -> bool:
        """Delete an instance with all that it has; False: there was none."""
        ...

    def scan(self) -> AsyncIterator[InstanceRow]:
        """Yield the rows of all instances that there are from the beginning to the end, each at least once."""
        ...

    async def unindexed(self, app: str, limit: int = 100) -> list[Unindexed]:
        """Return instances of an app whose rows have changed, or which are gone, since the index was told of them.

        The storage notes that in one step with the change, so that it is known also where its caller dies.
        """
        ...

    async def indexed(self, app: str, moved: Sequence[Unindexed]) -> None:
        """Take note that the index knows these; of one that has changed meanwhile, or will expire, it is told again."""
        ...

    async def changed(self, instance_id: str, since: int) -> None:
        """Return when an instance has a later revision, or is gone; also now and then without."""
        ...

    async def listen(self, instance_id: str, hear: Hear) -> Callable[[], None]:
        """Call `hear` with each change of an instance, from the return of this on; return how to stop.

        A message hastens, and decides nothing: it may be lost, or come twice. Where one may have been, `hear` is called
        with None, as it is at a begin, at a change of the instance and when that is gone. Lines of logs are not told.
        """
        ...

    async def lineage(self) -> str:
        """Return a text that is another one after a failover that may have lost writes; empty: there is none."""
        ...

    def now_ms(self) -> int:
        """Return the time by the storage's clock, about."""
        ...
