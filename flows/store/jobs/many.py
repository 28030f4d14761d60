"""Acts on many jobs by the scripts that act on one, sent in one write: a word for each job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flows.errors import StoreError, StoreFull, StoreUnavailable
from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.scripts import Argument
    from flows.store.jobs.control import Control

#: The script of each verb.
_SCRIPTS: Final = {"retry": "retry_job", "cancel": "cancel", "delete": "delete", "move": "move"}
_UNKNOWN: Final = "NOSCRIPT"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done to many jobs."""

    verb: str
    """`retry`, `cancel`, `delete` or `move`."""
    states: frozenset[str]
    """Jobs in others are left as they are: since they were found they may have gone on."""
    before_ms: int
    """A job that has ended then or later, in server milliseconds, is left as it is."""
    reason: str = ""
    """Why jobs are cancelled."""
    queue: str = ""
    """Where jobs are moved."""


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
            "states": f" {' '.join(sorted(asked.states))} ",
            "ended_before": asked.before_ms,
        }

    async def act(self, jobs: Sequence[tuple[str, str]]) -> list[str | StoreError]:
        """Act on jobs, each given as its flow and its id; return of each the script's word, or the error that it met.

        Raises:
            StoreUnavailable: the server cannot be reached; some of them may have been acted on.
            StoreFull: the server is full, and takes nothing of what was asked.
        """
        named = [{**self._control.named(flow, job_id), **self._more} for flow, job_id in jobs]
        replies = await self._sent(named)
        return [await self._outcome(*job, reply) for job, reply in zip(jobs, replies, strict=True)]

    async def _sent(self, named: Sequence[dict[str, Argument]]) -> list[Any]:
        connection = self._control.connection
        replies = await connection.together([self._script.command(one) for one in named])
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, ReplyError) and reply.code == _UNKNOWN]
        if unknown:  # one call in full, and the server knows it
            first, *others = unknown
            replies[first] = await self._alone(named[first])
            again = await connection.together([self._script.command(named[at]) for at in others])
            for at, reply in zip(others, again, strict=True):
                replies[at] = reply
        return replies

    async def _alone(self, named: dict[str, Argument]) -> Any:
        try:
            return await self._control.connection.run(self._script, named)
        except (StoreUnavailable, StoreFull):
            raise
        except StoreError as error:
            return error

    async def _outcome(self, flow: str, job_id: str, reply: Any) -> str | StoreError:
        if isinstance(reply, (ReplyError, StoreError)):
            error = translated(reply, self._script) if isinstance(reply, ReplyError) else reply
            if isinstance(error, (StoreUnavailable, StoreFull)):
                raise error
            return error
        if reply == b"cancelling":
            if self._asked.verb == "move":
                return await self._control.move(flow, job_id, self._asked.queue)
            return await self._control.retry_job(flow, job_id)
        if isinstance(reply, bytes):
            return reply.decode()
        word, more = reply
        if self._asked.verb == "delete":
            await self._control.delete_all(more)
        elif more:
            await self._control.cancel_children(flow, job_id)
        return str(word.decode())
