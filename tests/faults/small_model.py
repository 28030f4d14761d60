"""The small model: a few jobs and two workers as one small state, and what the scripts that work on it share.

Each guard of the scripts has a name, and `Rules.without` takes guards away. The last part of a name says what the
guard compares; the first part is the Lua file that it stands in. `test_small_model.py` walks the same paths here and
on the real scripts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from flows.model.outcome import ENDING_VERBS
from flows.model.state import TERMINAL, TRANSITIONS

#: States of a job here that are no states in Redis: its hash is gone, or written but in no queue yet.
GONE: Final = "gone"
HIDDEN: Final = "hidden"
OVER: Final = frozenset({*TERMINAL, GONE, HIDDEN})
#: Ways to end that win over a request to cancel.
LAST: Final = frozenset(ENDING_VERBS) - {"cancel"}
PARENT: Final = 0
CHILD_QUEUE: Final = "pack:box"

Token = tuple[int, str, int, str]  # the job, its queue, the fence, the worker


class ScriptError(Exception):
    """A script stops in the middle: nothing rolls back."""


class Job(NamedTuple):
    """A job's hash. Without a queue it was never claimed: it waits where it was created."""

    status: str = "waiting"
    queue: str = ""
    fence: int = 0
    worker: str = ""
    attempts: int = 0
    visit: int = 0
    rescues: int = 0
    cancel: bool = False
    ttl: bool = True


class Family(NamedTuple):
    """What a parent's hash and the keys beside it hold about its children."""

    pending: frozenset[int] = frozenset()
    #: Children whose parent is known beside their hashes.
    known: frozenset[int] = frozenset()
    listed: frozenset[int] = frozenset()
    #: The hash of how they settled: none, with a TTL or without.
    side: str = "none"
    building: tuple[int, ...] = ()
    #: For which visit children are being built, and whether all are let out.
    building_visit: int = -1
    built: bool = False
    failed_child: bool = False
    next: str = ""
    #: Whether it is noted that the children of the cancelled parent are to be cancelled.
    cancelling: bool = False


class Worker(NamedTuple):
    """A worker process: its name, the attempts that it runs, and the queue of a call that was not answered."""

    name: str
    tokens: frozenset[Token] = frozenset()
    asking: str = ""


class State(NamedTuple):
    """All that there is."""

    jobs: tuple[Job, ...]
    waiting: tuple[tuple[str, tuple[int, ...]], ...]
    #: (queue, id) and whether the lease still runs, or whether the time has come.
    processing: tuple[tuple[tuple[str, int], bool], ...] = ()
    delayed: tuple[tuple[tuple[str, int], bool], ...] = ()
    children: frozenset[int] = frozenset()
    family: Family = Family()
    #: What the last call of each worker was answered.
    answers: tuple[tuple[tuple[str, str], tuple[Token, ...]], ...] = ()
    workers: tuple[Worker, ...] = ()
    #: Ids that stand in a list once too often by an accident; and how many accidents may still happen.
    copied: frozenset[int] = frozenset()
    #: Jobs that were given a new life by a call that may come again.
    retried: frozenset[int] = frozenset()
    left: tuple[int, ...] = ()


class Rules(NamedTuple):
    """The arguments of the scripts, and the guards that are taken away."""

    first: str = "pick"
    next: str = ""
    policy: str = "continue"
    isolated_from: int = 2
    max_crashes: int = 1
    without: frozenset[str] = frozenset()


class Sheet:
    """A state that one script works on; `freeze` returns what has become of it."""

    def __init__(self, state: State, rules: Rules) -> None:
        self._before, self.rules = state, rules
        self.jobs = list(state.jobs)
        self.waiting = dict(state.waiting)
        self.processing = dict(state.processing)
        self.delayed = dict(state.delayed)
        self.children = state.children
        self.family = state.family
        self.answers = dict(state.answers)

    def freeze(self) -> State:
        """Return the state as it is now."""
        before = self._before
        return State(
            tuple(self.jobs),
            tuple(sorted(self.waiting.items())),
            tuple(sorted(self.processing.items())),
            tuple(sorted(self.delayed.items())),
            self.children,
            self.family,
            tuple(sorted(self.answers.items())),
            *before[7:],
        )

    def on(self, guard: str) -> bool:
        """Whether a guard is there."""
        return guard not in self.rules.without

    # include/

    def first_of(self, job_id: int) -> str:
        """Return the queue in which a job was created."""
        return CHILD_QUEUE if self.is_child(job_id) else self.rules.first

    def is_child(self, job_id: int) -> bool:
        """Whether a job is the parent's child."""
        return job_id != PARENT and CHILD_QUEUE in self.waiting

    def change(self, job_id: int, **fields: object) -> None:
        """Write fields of a hash."""
        self.jobs[job_id] = self.jobs[job_id]._replace(**fields)  # type: ignore[arg-type]

    def move(self, job_id: int, before: str, after: str, **fields: object) -> None:
        """Write a job's status: include/status.lua."""
        if self.on("status:edge") and after not in TRANSITIONS[before]:  # type: ignore[index]
            raise ScriptError(f"no move from {before} to {after}")
        if self.jobs[job_id].status == GONE:
            self.jobs[job_id] = Job(ttl=False)
        self.change(job_id, status=after, **fields)

    def push(self, queue: str, job_id: int) -> None:
        """Let a job wait at the end of a queue."""
        self.waiting[queue] = (*self.waiting[queue], job_id)

    def owned(self, token: Token) -> str:
        """Return "ok" where an attempt owns its job, or why not: include/owned.lua."""
        job_id, queue, fence, worker = token
        job = self.jobs[job_id]
        if job.status == GONE:
            return "gone"
        refused = (
            (job.status != "processing" and self.on("owned:status"))
            # In the scripts the worker's id stands for its queue too: a worker loop works for one.
            or (job.queue != queue and self.on("owned:queue"))
            or (job.fence != fence and self.on("owned:fence"))
            or (job.worker != worker and self.on("owned:worker"))
        )
        return "stale" if refused else "ok"

    def end_job(self, job_id: int, before: str, word: str) -> None:
        """End a job in whatever way: include/ending.lua."""
        self.move(job_id, before, word, ttl=True)
        if self.is_child(job_id):
            self.settle(job_id, word)

    def cancel(self, job_id: int, before: str) -> None:
        """End a job as cancelled; what of its children is open is noted: transition/cancel.lua."""
        self.end_job(job_id, before, "cancelled")
        if job_id == PARENT and (self.family.pending or self.family.building) and self.on("cancel:noted"):
            self.family = self.family._replace(cancelling=True)
            self.change(job_id, ttl=False)

    def cancel_job(self, job_id: int, *, long: bool = False) -> str:
        """Cancel a job from outside: include/cancel_job.lua."""
        job = self.jobs[job_id]
        if job.status == GONE and self.on("cancel:exists"):
            return "gone"
        status = "waiting" if job.status == GONE else job.status
        if status == "processing" and self.on("cancel:running"):
            self.change(job_id, cancel=True)
            return "requested"
        if status not in {"waiting", "delayed", "children"} and self.on("cancel:open"):
            return "too late"
        self.take_out(job_id, status, job.queue or self.first_of(job_id), long=long)
        self.cancel(job_id, status)
        return "cancelled"

    def take_out(self, job_id: int, status: str, queue: str, *, long: bool = False) -> None:
        """Take a job out of where its state says that it is; a long list is left as it is."""
        if status == "waiting" and not long:
            self.waiting[queue] = tuple(other for other in self.waiting[queue] if other != job_id)
        elif status == "delayed":
            self.delayed.pop((queue, job_id), None)
        elif status == "processing":
            self.processing.pop((queue, job_id), None)
        elif status == "children":
            self.children -= {job_id}
            self.bound_side()

    def bound_side(self) -> None:
        """Give the hash of how children settled a TTL."""
        if self.family.side != "none":
            self.family = self.family._replace(side="bounded")

    # include/ending.lua

    def settle(self, job_id: int, word: str) -> None:
        """A child has ended: its parent hears of it."""
        family = self.family
        self.family = family._replace(known=family.known - {job_id}, pending=family.pending - {job_id})
        if job_id not in family.pending and self.on("settle:pending"):
            return
        status = self.jobs[PARENT].status
        if status == GONE and self.on("settle:parent gone"):
            self.children -= {PARENT}
            self.family = self.family._replace(side="none")
            return
        if status in TERMINAL and self.on("settle:parent ended"):
            return
        side = "immortal" if family.side == "none" else family.side
        self.family = self.family._replace(side=side)
        if status != "children" and self.on("settle:parent waits"):
            self.bound_side()
            if word != "done":
                self.family = self.family._replace(failed_child=True)
                self.jobs[PARENT] = Job(ttl=False) if status == GONE else self.jobs[PARENT]
            return
        if word != "done":
            self.child_failed()
        if not self.family.pending or not self.on("settle:last"):
            self.join()

    def child_failed(self) -> None:
        """Fail the parent where its queue says so."""
        if self.jobs[PARENT].status != "children" and self.on("child_failed:parent waits"):
            return
        if self.rules.policy != "fail" and self.on("child_failed:policy"):
            return
        self.children -= {PARENT}
        self.bound_side()
        self.end_job(PARENT, "children", "failed")

    def join(self) -> None:
        """Let the parent go on."""
        job = self.jobs[PARENT]
        if job.status != "children" and self.on("join:parent waits"):
            return
        following, self.family = self.family.next, self.family._replace(next="")
        self.children -= {PARENT}
        self.family = self.family._replace(side="none")
        if following:
            self.move(PARENT, "children", "waiting", queue=following, attempts=0, visit=job.visit + 1, ttl=True)
            self.push(following, PARENT)
        else:
            self.end_job(PARENT, "children", "done")

    def settle_missing(self, job_id: int) -> None:
        """A job's hash is gone: a parent hears of it all the same."""
        if job_id in self.family.known and self.on("settle:missing child"):
            self.settle(job_id, "expired")
