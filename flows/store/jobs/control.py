"""Cancels, retries and deletes jobs, for clients and rescuers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flows.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import CancelAnswer, MoveAnswer, RetryJobAnswer, SetPriorityAnswer
    from flows.store.jobs.flow_settings import FlowSettings

_logger = logging.getLogger("flows.store")


@dataclass(frozen=True, slots=True)
class Cascaded:
    """What one call of `cascade` did."""

    parent: str
    """The parent whose children were cancelled, as `<flow>:<id>`; empty where no parent is left."""
    more: bool
    """Whether this parent has more children to cancel: call `cascade` again."""
    count: int
    """How many children were cancelled, asked to stop, or deleted before they were published."""
    parents: list[str]
    """Which of those children have children of their own, to be cancelled next."""


@dataclass(frozen=True, slots=True)
class Edits:
    """Other values of some fields of a job."""

    fields: Mapping[str, bytes]
    """The values, as JSON."""
    attributes: Sequence[str] = ()
    """Those of the fields by which the job is looked up."""
    lookups: Sequence[str] = ()
    """By what it is looked up from then on, `<attribute>:<text>` each."""

    def named(self, lookup_ttl: int) -> dict[str, Argument]:
        """Return the arguments of the script by name; lookup lists live so many milliseconds at least."""
        lines = {"edited": "\n".join(self.attributes), "enters": "\n".join(self.lookups)}
        return {**lines, "lookup_ttl": lookup_ttl}

    def pairs(self) -> list[Argument]:
        """Return the names and values of the fields."""
        return [part for pair in self.fields.items() for part in pair]


class Control:
    """Cancels, retries and deletes the jobs of one flow and of its child queues."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self.connection = connection
        self._settings = settings
        #: Returns a script by its name, as the flow needs it.
        self.script = settings.script

    async def cancel(self, flow: str, job_id: str, reason: str) -> CancelAnswer:
        """Cancel a job and its children, and return what became of it.

        The script that cancels the parent records that its children are to be cancelled: where this client does not
        get to all of them, a rescuer does.
        """
        word, more = await self.connection.run(self.script("cancel"), {**self.named(flow, job_id), "reason": reason})
        if more:
            await self.cancel_children(flow, job_id)
        return cast("CancelAnswer", word.decode())

    async def cancel_children(self, flow: str, job_id: str) -> None:
        """Cancel the children of a job that was cancelled, and theirs, as far as the server can be reached."""
        parents = [f"{flow}:{job_id}"]
        try:
            while parents:
                done = await self.cascade(parents[-1])
                if not done.more:
                    parents.pop()
                parents[:0] = done.parents
        except StoreError as error:
            _logger.warning("children of the cancelled job %s are left to the next rescuer: %s", job_id, error)

    async def cascade(self, parent: str = "") -> Cascaded:
        """Cancel some children of a parent that was cancelled, or of any such parent where none is named."""
        cancelling = self._settings.keys.cancelling(self._settings.flow)
        named = {**self._settings.named(), "cancelling": cancelling, "parent": parent}
        found, more, count, parents = await self.connection.run(self.script("cascade"), named)
        return Cascaded(found.decode(), bool(more), count, [name.decode() for name in parents])

    async def retry_job(self, flow: str, job_id: str) -> RetryJobAnswer:
        """Start a new visit for a job that has failed or was cancelled, and return what became of it."""
        while (word := await self.connection.run(self.script("retry_job"), self.named(flow, job_id))) == b"cancelling":
            await self.cascade(f"{flow}:{job_id}")
        return cast("RetryJobAnswer", word.decode())

    async def move(self, flow: str, job_id: str, queue: str, edits: Edits | None = None) -> MoveAnswer:
        """Let a job that no worker has wait in another queue of its flow, and return what became of it.

        Args:
            flow: The job's.
            job_id: Its id.
            queue: Where it is to wait.
            edits: What its hash is to hold from then on.
        """
        while True:
            named = {**self.named(flow, job_id), "target": queue}
            if edits is None:
                word = await self.connection.run(self.script("move"), named)
            else:
                named |= edits.named(max(self._settings.ttl_ms, *self._settings.kept_ms))
                word = await self.connection.run(self.script("move_edited"), named, edits.pairs())
            if word != b"cancelling":
                return cast("MoveAnswer", word.decode())
            await self.cascade(f"{flow}:{job_id}")

    async def set_priority(self, flow: str, job_id: str, priority: int) -> SetPriorityAnswer:
        """Give a job that waits or is delayed another priority, and return what became of it."""
        named = {**self.named(flow, job_id), "priority": priority}
        word = await self.connection.run(self.script("set_priority"), named)
        return cast("SetPriorityAnswer", word.decode())

    async def delete(self, flow: str, job_id: str) -> bool:
        """Delete a job and its children with all their entries; False where there was none."""
        word, children = await self.connection.run(self.script("delete"), self.named(flow, job_id))
        for key in children:
            await self.delete(*self.job_at(key))
        return bool(word == b"deleted")

    def named(self, flow: str, job_id: str = "") -> dict[str, Argument]:
        """Return the arguments of a script that acts on one job, whatever its state, or on several, by name."""
        call = self._settings.new_call()
        return {**self._settings.named(flow), "id": job_id, "call": call, "states": "", "ended_before": 0}

    def job_at(self, key: bytes) -> tuple[str, str]:
        """Return the flow and the id of the job at a key that a script names."""
        text = key.decode("utf-8", "replace")  # a field that was edited may hold anything
        flow, _, job_id = text.removeprefix(f"{self._settings.keys.namespace}job:").rpartition(":")
        return flow, job_id
