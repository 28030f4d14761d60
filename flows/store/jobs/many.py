"""Acts on many jobs by scripts that take up to a hundred of them: a word for each job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError
from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.scripts import Argument
    from flows.store.jobs.control import Control

#: The script of each verb.
_SCRIPTS: Final = {"retry": "retry_jobs", "cancel": "cancel_jobs", "delete": "delete_jobs", "move": "move_jobs"}
#: One script acts on so many.
_MOST: Final = 100
#: The words of jobs that a script has not come to, and of those that it could not act on.
_LATER: Final = b"later"
_ERROR: Final = b"error"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done to many jobs."""

    verb: str
    """`retry`, `cancel`, `delete` or `move`."""
    states: frozenset[str]
    """Jobs in others are left as they are: since they were found they may have gone on. Empty for any."""
    before_ms: int
    """A job that has ended then or later, in server milliseconds, is left as it is; 0 for none."""
    reason: str = ""
    """Why jobs are cancelled."""
    queue: str = ""
    """Where jobs are moved."""


#: The children of jobs that are deleted go with them, whatever became of them.
_CHILDREN: Final = Asked("delete", frozenset(), 0)


class ManyJobs:
    """Does one thing to many jobs of a flow and of its child queues.

    Args:
        control: Acts on one job.
        asked: What is to be done.
    """

    def __init__(self, control: Control, asked: Asked) -> None:
        self._control = control
        self._asked = asked
        self._script = control.script(_SCRIPTS[asked.verb])
        self._more: dict[str, Argument] = {
            "reason": asked.reason,
            "target": asked.queue,
            "states": f" {' '.join(sorted(asked.states))} " if asked.states else "",
            "ended_before": asked.before_ms,
        }

    async def act(self, jobs: Sequence[tuple[str, str]]) -> list[str | StoreError]:
        """Act on jobs, each given as its flow and its id; return of each a word, or the error that it met.

        Raises:
            StoreError: the server cannot be used, some of them may have been acted on; StoreFull where it is full, and
                takes nothing of what was asked.
        """
        by_flow: dict[str, list[int]] = {}
        for at, (flow, _job_id) in enumerate(jobs):
            by_flow.setdefault(flow, []).append(at)
        told: list[str | StoreError] = [""] * len(jobs)
        for flow, places in by_flow.items():
            words = await self._act(flow, [jobs[at][1] for at in places])
            for at, word in zip(places, words, strict=True):
                told[at] = word
        return told

    async def _act(self, flow: str, ids: list[str]) -> list[str | StoreError]:
        """Act on jobs of one flow, in their order."""
        told: list[str | StoreError] = []
        while len(told) < len(ids):
            some = ids[len(told) : len(told) + _MOST]
            named = {**self._control.named(flow), **self._more}
            words, names, errors = await self._control.connection.run(self._script, named, some)
            told += await self._told(flow, some, words, errors)
            await self._go_on(flow, names)
        return told

    async def _told(
        self, flow: str, ids: Sequence[str], words: Sequence[bytes], errors: Sequence[bytes]
    ) -> list[str | StoreError]:
        """Return what became of the jobs that the script came to."""
        told: list[str | StoreError] = []
        failures = iter(errors)
        for job_id, word in zip(ids, words, strict=True):
            if word == _LATER:
                break
            if word == _ERROR:
                told.append(self._error(next(failures)))
            elif word == b"cancelling":
                told.append(await self._again(flow, job_id))
            else:
                told.append(word.decode())
        return told

    def _error(self, text: bytes) -> StoreError:
        return translated(ReplyError(text.decode("utf-8", "replace")), self._script)

    async def _again(self, flow: str, job_id: str) -> str:
        """Act on a job once its children are cancelled."""
        if self._asked.verb == "move":
            return await self._control.move(flow, job_id, self._asked.queue)
        return await self._control.retry_job(flow, job_id)

    async def _go_on(self, flow: str, names: Sequence[bytes]) -> None:
        """Act on the children of the jobs that the script names, or at the keys that it names."""
        if self._asked.verb == "delete":
            children = ManyJobs(self._control, _CHILDREN)
            await children.act([self._control.job_at(name) for name in names])
            return
        for name in names:
            await self._control.cancel_children(flow, name.decode())
