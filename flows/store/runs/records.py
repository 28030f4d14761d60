"""Writes what the steps of runs have done: all that is put within a tick of the loop goes in one script."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

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
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.store.runs.answers import RecordAnswer

#: So many runs write in one script, and so many bytes.
_MOST_WRITES: Final = 200
_MOST_BYTES: Final = 1 << 20
#: So many children of one run come with one write.
MOST_CHILDREN: Final = 100


class Owner(NamedTuple):
    """The attempt that writes."""

    worker_id: str
    run_id: str
    fence: int


class Recorded(NamedTuple):
    """What became of a write."""

    word: RecordAnswer
    come: int
    """How many things have come for the run from outside."""
    about: str
    """Why it was refused."""


class PackedWrite:
    """What one run writes at once, packed for the script."""

    __slots__ = ("arguments", "packed")

    def __init__(self, arguments: list[Argument], parts: Sequence[tuple[list[Argument], Sequence[PackedRun]]]) -> None:
        self.arguments = len(arguments) + 1
        packed = [pack_arguments([*arguments, len(parts)])]
        for head, runs in parts:
            self.arguments += len(head) + sum(run.arguments for run in runs)
            packed += (pack_arguments(head), *[run.packed for run in runs])
        self.packed = b"".join(packed)


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
    yield PackedWrite([*head, len(values), *values, len(looks), *looks], first)
    for one in later:
        yield PackedWrite([*head, 0, 0], [one])


class Records:
    """Gathers the writes of all runs of a process within a tick, and sends them in one script."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._script = PackedScript(settings.script("record"), settings.named(), ("settings",))
        self._settings = settings.packed
        self._gathered: list[tuple[PackedWrite, asyncio.Future[Recorded]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def write(self, write: PackedWrite) -> Recorded:
        """Write this with what else is written in this tick, and return what became of it.

        Raises:
            StoreError: it may or may not be written; to write it again changes nothing.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Recorded] = loop.create_future()
        if not self._gathered:
            loop.call_soon(self._send_gathered)
        self._gathered.append((write, answer))
        return await answer

    def _send_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        loop = asyncio.get_running_loop()
        for batch in _batches(gathered):
            task = loop.create_task(self._send(batch))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, batch: list[tuple[PackedWrite, asyncio.Future[Recorded]]]) -> None:
        failpoint("before-record")
        try:
            call = self._script.call((self._settings,), [write for write, _ in batch])
            answers: list[Any] = await self._connection.call_packed(call)
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()  # nobody may wait for it any more
            if not isinstance(error, Exception):
                raise
            return
        failpoint("after-record")
        for (_, answer), (word, come, about) in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(Recorded(cast("RecordAnswer", word.decode()), come, about.decode("utf-8", "replace")))


def _batches(
    gathered: Sequence[tuple[PackedWrite, asyncio.Future[Recorded]]],
) -> Iterator[list[tuple[PackedWrite, asyncio.Future[Recorded]]]]:
    batch: list[tuple[PackedWrite, asyncio.Future[Recorded]]] = []
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
