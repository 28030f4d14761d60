"""Sends the heartbeats of one process: what it says of itself, and until when that counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from flows.model.fleet.statistics import TOTALS
from flows.store.fleet.declarations import MOST
from flows.store.keys.operators import OperatorKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.declared.description import Description
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import HeartbeatAnswer, TellStacksAnswer
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.store.jobs.leases import LeaseRenewal

#: Of a process that was killed, what it said last is kept for so long after it counts no more, in milliseconds.
KEPT_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class HeartbeatOfQueue:
    """What a heartbeat says of one queue."""

    queue: str
    serves: bool
    """Whether the process has workers of it; else it had some at its last heartbeat."""
    waited: str
    """A histogram of how long its jobs had waited that began since then, as a text."""
    ran: str
    """A histogram of how long its functions ran that ended since then."""


@dataclass(frozen=True, slots=True)
class HeartbeatText:
    """One heartbeat."""

    number: int
    """One more with each."""
    text: str
    """What the process says of itself, a JSON object with at least one member."""
    counts_ms: int
    """For how long it counts."""
    queues: Sequence[HeartbeatOfQueue]


class Heartbeats:
    """The heartbeats of one process, under a name that no other ever has."""

    def __init__(self, settings: FlowSettings, process: str, description: Description) -> None:
        self.process = process
        self._settings = settings
        self._description = description
        self._dump = OperatorKeys(settings.keys.namespace).dump(process)
        keys = settings.keys
        self._named: dict[str, Argument] = {
            **settings.named(),
            "processes": keys.processes(settings.flow),
            "process": keys.process(settings.flow, process),
            "declarations": keys.declarations(settings.flow),
            "process_name": process,
            "digest": description.digest,
            "kept": KEPT_MS,
            "most": MOST,
            "totals": " ".join(TOTALS),
        }

    def send(self, renewal: LeaseRenewal, beat: HeartbeatText) -> HeartbeatAnswer:
        """Send a heartbeat from the thread that renews leases, and the declaration again where it is gone.

        Where no queue is served any more, the process leaves.

        Raises:
            StoreUnavailable: the server cannot be reached.
        """
        script = self._settings.script("heartbeat")
        word = cast("bytes", renewal.run(script, *self._arguments(beat)))
        if not any(one.serves for one in beat.queues):
            word = renewal.run(script, *self._arguments(beat, leaves=True))
        elif word == b"undeclared":
            renewal.run(self._settings.script("declare"), self._named, [self._description.text])
        return cast("HeartbeatAnswer", word.decode())

    def tell_stacks(self, renewal: LeaseRenewal, text: str) -> TellStacksAnswer:
        """Tell the stacks that were asked for, from the thread that renews leases.

        Args:
            renewal: Of the thread.
            text: A JSON object with at least one member.

        Raises:
            StoreUnavailable: the server cannot be reached, or is full.
        """
        named = {**self._settings.named(), "dump": self._dump, "text": text}
        word = cast("bytes", renewal.run(self._settings.script("tell_stacks"), named))
        return cast("TellStacksAnswer", word.decode())

    async def announce(self, connection: Connection, beat: HeartbeatText) -> None:
        """Send a heartbeat from the event loop, before there is such a thread.

        Raises:
            StoreError: the server cannot be used.
        """
        await connection.run(self._settings.script("heartbeat"), *self._arguments(beat))

    async def leave(self, connection: Connection, last: HeartbeatText) -> HeartbeatAnswer:
        """Send the last heartbeat, and take the process out of all lists.

        Raises:
            StoreError: the server cannot be used.
        """
        script = self._settings.script("heartbeat")
        await connection.run(script, *self._arguments(last))
        word = await connection.run(script, *self._arguments(last, leaves=True))
        return cast("HeartbeatAnswer", word.decode())

    def _arguments(self, beat: HeartbeatText, *, leaves: bool = False) -> tuple[dict[str, Argument], list[Argument]]:
        rest: list[Argument] = [beat.text]
        for one in beat.queues:
            # Whoever leaves has said before what it has seen, by a call that may be sent twice.
            rest += (one.queue, int(one.serves), *(("", "") if leaves else (one.waited, one.ran)))
        named = {**self._named, "number": beat.number, "counts_ms": beat.counts_ms, "leaves": int(leaves)}
        return named, rest
