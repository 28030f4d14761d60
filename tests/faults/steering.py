"""An operator who cancels, deletes, retries, moves and explains jobs while all else goes on, and lets some expire.

What the flow has answered goes to the ledger.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from types import TracebackType
from typing import Any, Final, Self

import redis
from redis.exceptions import RedisError

from flows import JobGone, StateError
from tests.faults.case import Case
from tests.faults.flow_under_test import Orders

#: Lets a job's hash expire while the job waits in the first queue, as if its time to live were over.
_EXPIRE: Final = """
local found = redis.call('HMGET', KEYS[1], '_status', '_queue')
if redis.call('EXISTS', KEYS[1]) == 0 or (found[1] or 'waiting') ~= 'waiting' or (found[2] or 'pick') ~= 'pick' then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], 1)
"""


class Operator:
    """A thread with a flow of its own; use it in a `with` statement.

    Args:
        case: Whose jobs they are.
        ids: The jobs; more may come.
        plain: Those without children, which may as well wait in the second queue.
        url: The server, or the proxy before it.
        lanes: How many calls are under way beside each other.
        pause: Seconds between two calls of a lane.

    Attributes:
        words: How often each verb was answered so, as `<verb> <word>`.
        broken: What was raised that should not be.
    """

    def __init__(  # noqa: PLR0913 - two of them have names
        self,
        case: Case,
        ids: list[str],
        plain: list[str],
        url: str | None = None,
        *,
        lanes: int = 2,
        pause: float = 0.02,
    ) -> None:
        self.words: Counter[str] = Counter()
        self.broken: list[str] = []
        self._case, self._ids, self._plain, self._url = case, ids, plain, url
        self._lanes, self._pause = lanes, pause
        self._random = Random(f"operator {case.seed}")  # noqa: S311 - chance, not secrets
        #: Jobs that have failed or were cancelled, as far as the operator knows.
        self._over: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._act(None)), name="operator")

    def act(self, calls: int) -> None:
        """Make so many calls of each lane in this thread, and return when they are answered."""
        asyncio.run(self._act(calls))

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End after the calls that are under way."""
        self._stop.set()
        self._thread.join()

    async def _act(self, calls: int | None) -> None:
        flow = self._case.flow(self._url)
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(self._lanes):
                    lanes.create_task(self._lane(flow, calls))
        finally:
            await flow.stop_all()

    async def _lane(self, flow: Orders, calls: int | None) -> None:
        verbs: dict[str, Callable[[Orders, str], Awaitable[str]]] = {
            "cancel": self._cancel, "delete": self._delete, "retry": self._retry, "move": self._move,
            "expire": self._expire, "explain": self._explain, "look": self._look,
        }  # fmt: skip
        made = 0
        while not self._stop.is_set() and (calls is None or made < calls):
            made += 1
            await asyncio.sleep(self._pause if calls is None else 0)
            if not self._ids:
                continue
            verb = self._random.choice([*verbs])
            job_id = self._random.choice(self._among(verb))
            try:
                word = await verbs[verb](flow, job_id)
            except JobGone:
                word = "gone"
            except StateError as error:
                word = str(error.state)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                self.broken.append(f"{verb}: {error!r}")
                continue
            self.words[f"{verb} {word}"] += 1

    def _among(self, verb: str) -> list[str]:
        """Return the jobs on which a verb is most likely to do something."""
        wanted = {"retry": [self._over], "move": [self._over, self._plain]}.get(verb, [])
        return self._random.choice([some for some in wanted if some] or [self._ids])

    async def _cancel(self, flow: Orders, job_id: str) -> str:
        word = await flow.cancel_job(job_id)
        if word == "cancelled":
            self._case.ledger.write("CANCELLED", job_id)
            self._over.append(job_id)
        return word

    async def _delete(self, flow: Orders, job_id: str) -> str:
        if not await flow.delete_job(job_id):
            return "gone"
        self._case.ledger.write("DELETED", job_id)
        return "deleted"

    async def _retry(self, flow: Orders, job_id: str) -> str:
        word = await flow.retry_job(job_id)
        self._case.ledger.write("RETRIED", job_id)
        return word

    async def _move(self, flow: Orders, job_id: str) -> str:
        """Move it to the first queue, where all may begin again; one without children to the second as well."""
        to = self._random.choice(["pick", "pack"]) if job_id in self._plain else "pick"
        word = await flow.move_job(job_id, to=to)
        self._case.ledger.write("MOVED", job_id)
        return word

    async def _explain(self, flow: Orders, job_id: str) -> str:
        """Ask why it does not run, whatever becomes of it just then."""
        return (await flow.explain(job_id)).reason

    async def _look(self, flow: Orders, job_id: str) -> str:
        """Look at all queues and processes, and where the job stands."""
        states, processes = await flow.states(), await flow.processes()
        await flow.position(job_id)
        unreadable = [state.queue for state in states.values() if state.unreadable]
        odd = [process.name for process in processes if process.alive and not process.queues]
        return f"odd: {unreadable} {odd}" if unreadable or odd else "well"

    async def _expire(self, _flow: Orders, job_id: str) -> str:
        """Write it first: whether the server did it before it was killed, the hashes will show."""
        self._case.ledger.write("EXPIRED", job_id)
        try:
            found: Any = await asyncio.to_thread(_expire, self._case.server.client(), f"job:orders:{job_id}")
        except (RedisError, OSError):
            return "lost"
        return "expired" if found else "kept"


def _expire(client: redis.Redis, key: str) -> Any:
    with client:
        return client.eval(_EXPIRE, 1, key)
