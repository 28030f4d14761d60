"""Repairs what no transition leaves behind, in the bounded steps of a pass: the store's part of the reconciler.

Edited data, a half-restored backup, a server's clock that was set back: a job may then stand nowhere, or have a lease
that never ends, or wait for children that are gone. All of it is found and decided inside the script `reconcile.lua`.

It also takes the ids of jobs that are gone out of lookup lists, which is no repair: they have gone as they should.

What the reconciler cannot see:

- a job that waits, and is not in its list, as long as that list has over 10,000 ids;
- loads of a queue in which over 5,000 jobs hold slots, and while jobs come and go, counts of one with as many groups;
- a delayed job that is due later than it was meant to be;
- a child that waits and whose parent has forgotten it: nobody waits for it, so it expires;
- what the function of a child returned, where the child has ended and the parent does not know: the parent sees the
  child as done, without a result;
- jobs of another flow: each flow walks through the whole keyspace for its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument, Script
    from flows.store.jobs.answers import ReconcileAnswer
    from flows.store.jobs.flow_settings import FlowSettings


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was repaired, or could not be; the words are those of the reconciler in docs/states.md."""

    queue: str
    job_id: str
    word: ReconcileAnswer
    error: str = ""
    """With the word `error`: why it could not be repaired."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did, or why there was none."""

    wait_ms: int
    """In how many milliseconds the next step may start."""
    goes_on: bool
    """Whether this was a step of a pass that is not finished."""
    repairs: list[Repair]


class Reconciliation:
    """Reconciles one flow; any number of processes may ask for steps, and one of them gets each.

    Args:
        connection: To the server.
        settings: Those of the flow.
        queues: The names of all its queues.
        layouts: In which lists jobs of its queues may stand by what this process declares.
    """

    def __init__(
        self, connection: Connection, settings: FlowSettings, queues: Sequence[str], layouts: str = ""
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._named: dict[str, Argument] = {
            **settings.named(),
            "reconcile": settings.keys.reconcile(settings.flow),
            "layouts": layouts,
        }
        self._queues = list(queues)

    async def introduce(self) -> None:
        """Record for the processes that reconcile what only this one knows: its lease, and where it creates jobs.

        Raises:
            StoreError: the server cannot be used.
        """
        await self._connection.run(self._settings.script("introduce"), self._named)

    async def step(self) -> Step:
        """Take the next step, unless another process has taken it or it is too early.

        Raises:
            StoreError: the server cannot be used.
        """
        script = self._settings.script("reconcile")
        wait_ms, goes_on, repairs = await self._connection.run(script, self._named, self._queues)
        return Step(wait_ms, bool(goes_on), [_repair(script, *parts) for parts in repairs])


def _repair(script: Script, queue: bytes, job_id: bytes, answer: bytes) -> Repair:
    word, _, error = answer.decode("utf-8", "replace").partition(" ")
    error = script.located(error)
    known = cast("ReconcileAnswer", word)
    return Repair(queue.decode("utf-8", "replace"), job_id.decode("utf-8", "replace"), known, error)
