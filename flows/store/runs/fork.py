"""Starts a run that has what another one had done: however much that is, in parts that take no script long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from flows.errors import StoreUnavailable
from flows.model.runs.new_run import RUN_FLOW
from flows.store.keys.runs import RunKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: `written`: a part stands beside it; `lost`: parts that were written are not there any more; `conflict`: something
#: else stands in the place of a key.
ForkAnswer: TypeAlias = Literal["written", "started", "lost", "conflict"]

#: One part has so many fields at most, and bytes, unless one field alone has more.
_MOST_FIELDS: Final = 1_000
_MOST_BYTES: Final = 1 << 19
#: So many fields of a hash are asked for at once.
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Fork:
    """A run that begins where another one was."""

    source: str
    """The other run's id."""
    id: str
    """Its own; sent again with the same id, it is started once."""
    queue: str
    """The kernel's queue in which it waits."""
    fields: Mapping[str, bytes]
    """Those of its hash."""
    lookups: str = ""
    """The lists by which it is found, a line each."""
    records: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """Those of its steps, by the fields in which they stand."""
    parents: tuple[str, ...] = ()
    """Steps of which the results of children are copied, where they stand beside the other run's hash."""


async def start_fork(connection: Connection, settings: FlowSettings, fork: Fork) -> bool:
    """Start a run with what another one had done; return False where something else stands in the place of a key.

    Raises:
        StoreUnavailable: the server cannot be reached, or it took over ten minutes; the run is not started.
        StoreError: the server cannot be used, the run is not started.
    """
    return await _Forking(connection, settings, fork).start()


class _Forking:
    def __init__(self, connection: Connection, settings: FlowSettings, fork: Fork) -> None:
        self._connection = connection
        self._fork = fork
        self._script = settings.script("fork")
        self._keys = RunKeys(settings.keys.namespace)
        self._named: dict[str, Argument] = {
            **settings.named(RUN_FLOW),
            "forking": self._keys.forking(fork.id),
            "new_id": fork.id,
            "to_queue": fork.queue,
            "lookup_lines": fork.lookups,
        }

    async def start(self) -> bool:
        fork = self._fork
        sides = [step for step in fork.parents if await self._copy_side(step)]
        *parts, last = [*_parts(fork.records.items())] or [()]
        for part in parts:
            await self._write(self._keys.forking(fork.id), part)
        fields, records = _flat(fork.fields.items()), _flat(last)
        rest = [len(fields), *fields, len(records), *records, *sides]
        word = await self._send(rest, into=self._keys.forking(fork.id), written=sum(map(len, parts)))
        if word == "lost":
            raise StoreUnavailable(f"run {fork.id} was not started, since that took over ten minutes: fork it again")
        return word == "started"

    async def _copy_side(self, step: str) -> bool:
        """Copy the results of a step's children; return whether there are any."""
        source, target = (self._keys.children(one, step) for one in (self._fork.source, self._fork.id))
        cursor, found = b"0", False
        while True:
            cursor, flat = await self._connection.call("HSCAN", source, cursor, "COUNT", _PAGE)
            for part in _parts(zip(flat[::2], flat[1::2], strict=True)):
                await self._write(target, part)
                found = True
            if cursor == b"0":
                return found

    async def _write(self, into: str, part: tuple[tuple[Any, bytes], ...]) -> None:
        await self._send(_flat(part), into=into, written="")

    async def _send(self, rest: list[Argument], *, into: str, written: Argument) -> ForkAnswer:
        word: bytes = await self._connection.run(self._script, {**self._named, "into": into, "written": written}, rest)
        answer: Any = word.decode()
        return answer  # type: ignore[no-any-return]


def _flat(pairs: Iterable[tuple[Any, bytes]]) -> list[Argument]:
    return [part for pair in pairs for part in pair]


def _parts(pairs: Iterable[tuple[Any, bytes]]) -> Iterator[tuple[tuple[Any, bytes], ...]]:
    """Yield fields and values in parts of which each takes no script long."""
    part, size = list[tuple[Any, bytes]](), 0
    for name, value in pairs:
        if part and (len(part) == _MOST_FIELDS or size + len(value) > _MOST_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append((name, value))
        size += len(value)
    if part:
        yield tuple(part)
