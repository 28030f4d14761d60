"""Takes a worker's turns: one script reports how attempts ended and claims the next jobs."""

from __future__ import annotations

import os
import re
import socket
import time
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, cast

from flows.model.runs.new_run import RUN_FLOW
from flows.store.client.packed_script import PackedCall, PackedScript
from flows.store.client.wire import Disconnected, ReplyError
from flows.store.jobs.claimed import RESCUES, START_IN, ClaimedJob
from flows.store.jobs.finished import MOST_JOBS, MOST_RUNS, FinishedAttempt, first_part, pack_children
from flows.store.jobs.flow_settings import ISOLATED_FROM
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from flows.model.outcome import NewChild, Outcome
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import PublishAnswer
    from flows.store.jobs.flow_settings import FlowSettings


@dataclass(frozen=True)
class Turn:
    """The answer of one turn."""

    words: list[str]
    """What became of each attempt that was reported: ok, cancelled, or why it was refused."""
    jobs: list[list[Any]]
    """The jobs that were claimed, as the script answers them."""
    left: int
    """How many jobs still wait."""
    next_due_ms: int
    """In how many milliseconds the next delayed job is due; 0 where none is, or where another worker wakes for it."""
    expired: int
    """How many ids were dropped because their hashes are gone."""
    malformed: int
    """How many jobs failed because their hash was edited into nonsense."""
    misplaced: int
    """How many ids were dropped because they stood here twice, or are misplaced; nothing is wrong with their jobs."""
    prioritised: bool = False
    """Whether the last value of each job is its priority."""
    answered: float = 0.0
    """Of a queue with rules, when the answer came, by the monotonic clock: its jobs may start a little later."""

    @cached_property
    def claimed(self) -> list[ClaimedJob]:
        """The jobs that were claimed; made at the first access, since a worker sends its next turn before that."""
        if self.answered:
            return [ClaimedJob(job, job.pop() if self.prioritised else None, self._start_of(job)) for job in self.jobs]
        return [ClaimedJob(job, job.pop() if self.prioritised else None) for job in self.jobs]

    def _start_of(self, job: list[Any]) -> float:
        """Take out of a claimed job when it may start."""
        start_in: int = job.pop(START_IN)
        return self.answered + start_in / 1000 if start_in else 0.0

    @property
    def leases(self) -> list[tuple[str, int]]:
        """The id and the fence of each of them; made anew, since another thread may ask."""
        return [(job[0].decode(), job[1]) for job in self.jobs]

    @property
    def isolated(self) -> bool:
        """Whether the turn brought an isolated job, beside which nothing may run; such a job comes by itself."""
        return len(self.jobs) == 1 and self.jobs[0][RESCUES] >= ISOLATED_FROM


#: What differs from turn to turn: the number, how many jobs are wanted, whether others run, how many have ended.
_DIFFERING: Final = ("number", "want", "busy", "ended")
#: Stands for the answer before the first turn.
NO_TURN: Final = Turn([], [], 0, 0, 0, 0, 0)


def new_worker_id() -> str:
    """Return an id that no other worker ever has and that says where this one runs: host, process, a random part."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:16]
    return f"{host}.{os.getpid()}.{os.urandom(5).hex()}"


class Turns:
    """The turns of one worker loop, on one queue."""

    def __init__(
        self, connection: Connection, settings: FlowSettings, queue: str, worker_id: str, fields: Sequence[str]
    ) -> None:
        self._connection = connection
        self._settings = settings
        self.queue = queue
        self.worker_id = worker_id
        self.flow = settings.flow_of(queue)
        #: Packs an attempt that has ended, to be reported by a turn.
        self.finished: Callable[[ClaimedJob, Outcome], FinishedAttempt] = partial(
            FinishedAttempt, child=self.flow != settings.flow
        )
        rules = settings.rules.get(queue)
        self._ruled = rules is not None
        #: Whether a claim may bring jobs that have to wait for a lane: not where each takes a token or a slot.
        self.may_prefetch = rules is None or not (rules.limiters or rules.slots or rules.slots_per_group)
        #: So many jobs are ended, and as many claimed, by one turn at most.
        self.most = MOST_RUNS if settings.flow == RUN_FLOW else MOST_JOBS
        self._number = 0
        #: The number of the turn that was sent and whose answer is not taken yet; 0: there is none.
        self.under_way = 0
        keys = settings.keys
        self._named: dict[str, Argument] = {
            **settings.named(self.flow),
            "queue": queue,
            "worker_id": worker_id,
            "waiting": keys.waiting(queue),
            "processing": keys.processing(queue),
            "delayed": keys.delayed(queue),
            "call": keys.call(worker_id),
            "field_names": " ".join([*fields, "_priority"] if settings.prioritised else fields),
        }
        self._turn = PackedScript(settings.script("turn", queue), self._named, _DIFFERING)
        self._timer, self._wake = keys.timer(queue), keys.wake(queue)
        #: Whether the last turn has set the queue's alarm.
        self._alarmed = False
        self._last: PackedCall | None = None
        self._early: asyncio.Future[Any] | None = None

    @property
    def early(self) -> bool:
        """Whether a turn was sent by `send_early`: the next call of `turn` takes its answer."""
        return self._early is not None

    def send_early(self, want: int, *, busy: bool) -> None:
        """Send a turn that reports nothing, in this tick, if the connection stands; the next `turn` is this one."""
        call = self._turn.call((self._number + 1, min(want, self.most), int(busy), 0))
        self._early = self._connection.send_at_once(call)
        if self._early is not None:
            self._number = self.under_way = self._number + 1
            self._last = call

    async def take_alarm_over(self) -> None:
        """Forget the alarm of the queue: whoever has set it may be gone, and the next turn sets it anew.

        Raises:
            StoreError: the server cannot be reached.
        """
        await self._connection.call("DEL", self._timer)

    async def hand_alarm_on(self) -> None:
        """Where this worker has set the alarm of the queue, let another one set it: this one takes no more turns.

        Raises:
            StoreError: the server cannot be reached.
        """
        if self._alarmed:
            await self._connection.together([("DEL", self._timer), ("ZADD", self._wake, 0, "w")])

    async def turn(self, ended: Sequence[FinishedAttempt], want: int, *, busy: bool) -> Turn:
        """Report ended attempts and claim up to `want` jobs; `busy` says that other jobs run beside them.

        After `send_early` this is that turn, with which nothing can be reported.

        Raises:
            StoreFull: the server takes no new data; the ended attempts are recorded all the same.
            StoreError: the server cannot be reached.
        """
        if self._early is not None:
            return await self._answer_of_early(ended)
        self._number = self.under_way = self._number + 1
        self._last = self._turn.call((self._number, min(want, self.most), int(busy), len(ended)), ended)
        return await self.repeat()

    async def repeat(self) -> Turn:
        """Send the last turn again, whose answer was lost: with the same number it is one and the same turn.

        Raises:
            StoreError: the server cannot be reached.
        """
        assert self._last is not None  # noqa: S101 - there was one, or it could not be lost
        return self._read(await self._connection.call_packed(self._last))

    async def _answer_of_early(self, ended: Sequence[FinishedAttempt]) -> Turn:
        assert self._early is not None  # noqa: S101 - as asked by `turn`
        assert not ended  # noqa: S101 - see there
        early, self._early = self._early, None
        try:
            reply = await early
        except Disconnected:
            return await self.repeat()
        # An error is met again there, and becomes what it always does.
        return await self.repeat() if isinstance(reply, ReplyError) else self._read(reply)

    def _read(self, reply: list[Any]) -> Turn:
        words, jobs, left, due, dropped = reply
        answered = time.monotonic() if self._ruled else 0.0
        expired, malformed, misplaced = dropped
        self._alarmed = due > 0
        ended = [word.decode() for word in words]
        return Turn(ended, jobs, left, due, expired, malformed, misplaced, self._settings.prioritised, answered)

    async def report(self, ended: Sequence[FinishedAttempt]) -> list[str]:
        """Report ended attempts and claim nothing, which works on a full server too."""
        report = self._settings.script("report")
        words = await self._connection.run(report, {**self._named, "ended": len(ended)}, packed=ended)
        return [word.decode() for word in words]

    async def create_children(self, claimed: ClaimedJob, children: Sequence[NewChild]) -> PublishAnswer:
        """Create more children than one script takes: write them in parts, then publish them into their queues.

        Returns "ok", or why the attempt may not write any more. Called again by a later attempt, this goes on where
        the earlier one stopped.
        """
        building = self._settings.keys.building(claimed.flow.decode() or self.flow, claimed.id)
        named = {**self._named, "building": building, "id": claimed.member, "fence": claimed.fence}
        script, offset = self._settings.script, 0
        build, publish = script("build"), script("publish")
        while offset < len(children):
            part = first_part(children[offset:])
            word, written = await self._connection.run(build, {**named, "offset": offset}, pack_children(part))
            if word == b"built":
                break
            if word != b"ok":
                return cast("PublishAnswer", word.decode())
            offset = written
            failpoint("mid-fan-out")
        left = 1
        while left:
            word, left = await self._connection.run(publish, named)
            if word != b"ok":
                return cast("PublishAnswer", word.decode())
        failpoint("after-fan-out")
        return "ok"
