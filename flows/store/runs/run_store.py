"""Starts runs, and sends them what they wait for."""

from __future__ import annotations

from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, cast

from flows.errors import KeyConflict
from flows.model.runs.input_wait import INPUT, input_key
from flows.model.runs.new_run import Started
from flows.store.client.server_clock import ServerClock
from flows.store.keys.runs import event_name
from flows.store.runs.load import RunLoader
from flows.store.runs.new_runs import PackedRun, check_size, in_parts
from flows.store.runs.records import Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.runs.new_run import NewRun
    from flows.store.client.connection import Connection
    from flows.store.client.packed_script import Packed
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.store.runs.answers import StartAnswer

#: How long an answer that comes before its step is kept, in milliseconds: a week.
_INPUT_MS: Final = 7 * 24 * 3_600_000


class RunStore:
    """What a session has for runs.

    Attributes:
        loader: Reads what is recorded of runs.
        clock: The server's clock, as far as it is known.
    """

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings
        self.clock = ServerClock(settings.ahead_ms)
        self.loader = RunLoader(connection, settings, self.clock)

    @cached_property
    def records(self) -> Records:
        """Writes what the steps of runs have done."""
        return Records(self._connection, self._settings)

    async def start(self, runs: Sequence[NewRun]) -> list[Started]:
        """Start runs, up to 50 a script, each once by its id and by its key.

        Returns:
            Of each run its id, or that of the run that has its key: `existing` with the same input, `conflict` with
            other input, and then nothing was started.

        Raises:
            PayloadTooLarge: an input is too large; nothing was started.
            KeyConflict: something else stands in the place of a key, or a flow of another name has the queue; the
                other runs of its script, and those before, are started.
            StoreFull: nothing of one script is started, nor of the next ones.
            StoreUnavailable: those of one script may or may not be started; the next are not.
        """
        for run in runs:
            check_size(run, self._settings.max_payload)
        script, started, wrong = self._settings.script("start"), list[Started](), ""
        for part in in_parts(map(PackedRun, runs)):
            answers: list[Any] = await self._connection.run(script, self._settings.named(), packed=part)
            for packed, answer in zip(part, answers, strict=True):
                word = cast("StartAnswer", answer[0].decode())
                about = answer[1].decode() if len(answer) > 1 else packed.run.id
                if word == "conflict":
                    wrong = wrong or about
                else:
                    started.append(Started(about, "conflict" if word == "different" else word))
            if wrong:
                raise KeyConflict(f"{wrong}: delete or rename that key; the run was not started")
        return started

    async def start_executions(self, begun: Sequence[Packed]) -> list[list[Any]]:
        """Begin executions of task trees with their runs: the answers of `start_execution.lua`.

        Raises:
            StoreFull: none has begun.
            StoreError: they may or may not have begun.
        """
        script = self._settings.script("start_execution")
        answers: list[list[Any]] = await self._connection.run(script, self._settings.named(), packed=begun)
        return answers

    async def send_event(self, event: str, key: str, data: bytes, event_id: str, ttl_ms: int) -> int:
        """Keep an event, once for its id, and let the runs that wait for it go on.

        Args:
            event: Its name.
            key: Whom it is about: 1 to 200 bytes, or the id of one run.
            data: What it carries, JSON.
            event_id: With the same id it is sent once.
            ttl_ms: How long it is kept, in milliseconds.

        Returns:
            How many steps were settled by it.

        Raises:
            StoreFull: it was not kept.
            StoreError: it may or may not be kept; send it again with the same id.
        """
        script = self._settings.script("send_event")
        name = event_name(event, key)
        named: dict[str, Argument] = {**self._settings.named(), "event": name, "event_id": event_id, "ttl_ms": ttl_ms}
        cursor: bytes = b"0"
        settled = 0
        while True:
            named |= {"cursor_from": cursor, "call": self._settings.new_call()}
            cursor, count = await self._connection.run(script, named, [data])
            settled += int(count)
            if cursor == b"0":
                return settled

    async def provide(self, run_id: str, step: str, data: bytes) -> bool:
        """Answer a step that waits for input; an answer before the step waits is kept for it for a week.

        Returns:
            Whether the step waited.

        Raises:
            StoreError: it may or may not be answered; to answer again changes nothing where it was.
        """
        # Of an id of its own: an answer that the step refuses may be followed by another one.
        return await self.send_event(INPUT, input_key(run_id, step), data, token_hex(8), _INPUT_MS) > 0
