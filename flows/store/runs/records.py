"""Writes what the steps of runs have done: all that is put within a tick of the loop goes in one script."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from flows.store.client.packed_script import PackedScript
from flows.store.client.wire import pack_arguments
from flows.store.jobs.finished import MOST_ARGUMENTS, wait_arguments
from flows.store.runs.new_runs import PackedRun, in_parts
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flows.model.outcome import EventWait
    from flows.model.runs.step_children import StepChildren
    from flows.store.client.connection import Connection
    from flows.store.client.packed_script import PackedCall
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: What became of a write, as the script answers it: a `RecordAnswer`, how many things have come for the run from
#: outside, and why it was refused.
Recorded: TypeAlias = tuple[bytes, int, bytes]
#: So many runs write in one script, and so many bytes.
_MOST_WRITES: Final = 200
_MOST_BYTES: Final = 1 << 20
#: So many scripts are under way at once, where one takes all that comes; and with so many writes one goes at once.
_MOST_SENT: Final = 2
_AT_ONCE: Final = 64
#: So many children of one run come with one write.
MOST_CHILDREN: Final = 50
#: The record of one step takes so many arguments: its owner, the field and its value, counted, and what follows here.
_ONE_RECORD: Final = 8
#: No waits for events, and no steps that start children.
_NOTHING_MORE: Final = pack_arguments((0, 0))


class Owner(NamedTuple):
    """The attempt that writes."""

    worker_id: str
    run_id: str
    fence: int


class PackedWrite(NamedTuple):
    """What one run writes at once, packed for the script."""

    arguments: int
    packed: bytes


_Gathered: TypeAlias = "tuple[PackedWrite, asyncio.Future[Recorded]]"


class OneRecord:
    """Packs writes of one attempt that are the record of one step and nothing else, as most are.

    The bytes are those that `pack_writes` comes to; one formatting is quicker.
    """

    __slots__ = ("_head",)

    def __init__(self, owner: Owner) -> None:
        self._head = pack_arguments((*owner, 2))

    def pack(self, name: str, raw: bytes) -> PackedWrite:
        """Return what writes the record `raw` of the step `name`."""
        field = b"step:" + name.encode()
        packed = b"%b$%d\r\n%b\r\n$%d\r\n%b\r\n%b" % (self._head, len(field), field, len(raw), raw, _NOTHING_MORE)
        return PackedWrite(_ONE_RECORD, packed)


def _packed(arguments: list[Argument], parts: Sequence[tuple[list[Argument], Sequence[PackedRun]]]) -> PackedWrite:
    count = len(arguments) + 1
    packed = [pack_arguments([*arguments, len(parts)])]
    for head, runs in parts:
        count += len(head) + sum(run.arguments for run in runs)
        packed += (pack_arguments(head), *[run.packed for run in runs])
    return PackedWrite(count, b"".join(packed))


def pack_writes(
    owner: Owner,
    records: Mapping[str, bytes],
    children: Sequence[StepChildren],
    waits: Sequence[EventWait],
    fields: Mapping[str, bytes],
) -> Iterator[PackedWrite]:
    """Yield what is to be written, in parts, each one write: the first has all but the children that do not fit.

    A run that nobody waits for goes with the first one: its step's record says that it is started.
    """
    head: list[Argument] = [*owner]
    values: list[Argument] = [part for name, raw in records.items() for part in (f"step:{name}", raw)]
    values += [part for pair in fields.items() for part in pair]
    looks = wait_arguments(waits)
    first: list[tuple[list[Argument], Sequence[PackedRun]]] = []
    later: list[tuple[list[Argument], Sequence[PackedRun]]] = []
    room = MOST_CHILDREN
    for step in children:
        runs = [PackedRun(run, (index,)) for index, run in enumerate(step.runs)]
        for part in in_parts(runs, MOST_CHILDREN) if step.waited else [runs]:
            counted: list[Argument] = [step.step, step.total, step.limit or 0, int(step.waited), len(part)]
            fits = not step.waited or (not later and len(part) <= room)
            (first if fits else later).append((counted, part))
            room -= len(part) if fits else 0
    yield _packed([*head, len(values), *values, len(looks), *looks], first)
    for one in later:
        yield _packed([*head, 0, 0], [one])


class Records:
    """Gathers the writes of all runs of a process within a tick, and sends them in one script.

    While `_MOST_SENT` scripts are under way, what comes is kept for the next one: small scripts would only cost more.
    And where a tick brings very many writes, the first of them go at once: the server works on them meanwhile.
    """

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._script = PackedScript(settings.script("record"), settings.named(), ("settings",))
        self._settings = settings.packed
        self._gathered: list[_Gathered] = []
        #: How many scripts are under way.
        self._sent = 0
        self._repeating: set[asyncio.Task[None]] = set()

    def write(self, write: PackedWrite) -> asyncio.Future[Recorded]:
        """Write this with what else is written in this tick; the future says what became of it.

        It raises StoreError where it may or may not be written; to write it again changes nothing.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Recorded] = loop.create_future()
        gathered = self._gathered
        gathered.append((write, answer))
        if len(gathered) == 1:
            loop.call_soon(self._send_gathered)
        elif len(gathered) == _AT_ONCE:
            self._send_gathered()
        return answer

    def _send_gathered(self) -> None:
        if self._sent >= _MOST_SENT or not self._gathered:
            return
        gathered, self._gathered = self._gathered, []
        for batch in _batches(gathered):
            self._send(batch)

    def _send(self, batch: list[_Gathered]) -> None:
        self._sent += 1
        failpoint("before-record")
        call = self._script.call((self._settings,), [write for write, _ in batch])
        sent = self._connection.send_at_once(call)
        if sent is None:
            self._repeat(batch, call)
        else:
            sent.add_done_callback(lambda sent: self._answered(batch, call, sent))

    def _answered(self, batch: list[_Gathered], call: PackedCall, sent: asyncio.Future[Any]) -> None:
        answers: Any = None if sent.cancelled() or sent.exception() is not None else sent.result()
        if isinstance(answers, list):
            self._resolve(batch, cast("list[Recorded]", answers))
        else:  # the connection was lost, or the server does not know the script: what an error means is found out there
            self._repeat(batch, call)

    def _repeat(self, batch: list[_Gathered], call: PackedCall) -> None:
        task = asyncio.get_running_loop().create_task(self._send_again(batch, call))
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    async def _send_again(self, batch: list[_Gathered], call: PackedCall) -> None:
        try:
            answers: list[Recorded] = await self._connection.call_packed(call)
        except BaseException as error:
            self._sent -= 1
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()  # nobody may wait for it any more
            self._send_gathered()
            if not isinstance(error, Exception):
                raise
        else:
            self._resolve(batch, answers)

    def _resolve(self, batch: list[_Gathered], answers: list[Recorded]) -> None:
        self._sent -= 1
        failpoint("after-record")
        for (_, answer), recorded in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(recorded)
        self._send_gathered()


def _batches(gathered: list[_Gathered]) -> Iterator[list[_Gathered]]:
    """Cut what was gathered into parts of one script each; mostly it is one."""
    arguments, size = sum([one.arguments for one, _ in gathered]), sum([len(one.packed) for one, _ in gathered])
    if len(gathered) <= _MOST_WRITES and arguments <= MOST_ARGUMENTS and size <= _MOST_BYTES:
        yield gathered
        return
    batch: list[_Gathered] = []
    arguments, size = 0, 0
    for one in gathered:
        arguments += one[0].arguments
        size += len(one[0].packed)
        if batch and (len(batch) >= _MOST_WRITES or arguments > MOST_ARGUMENTS or size > _MOST_BYTES):
            yield batch
            batch, arguments, size = [], one[0].arguments, len(one[0].packed)
        batch.append(one)
    if batch:
        yield batch
