"""What a pipeline is: its queues, its names and its limits, checked when it is declared."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, Literal

from typing_extensions import TypeVar

from flows.errors import DeclarationError
from flows.model.job import Job, children_fields, user_fields
from flows.model.names import FIELD, MAX_DEPTH, check_child_name, check_name, check_namespace
from flows.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Iterator

JobT_co = TypeVar("JobT_co", bound=Job, covariant=True, default=Job)
KeyT_co = TypeVar("KeyT_co", bound=str, covariant=True, default=str)

#: A job's hash lives this long after the last thing that happened to it.
DEFAULT_TTL: Final = timedelta(hours=24)
#: The fields of one job, or of one result, in bytes of JSON.
DEFAULT_MAX_PAYLOAD: Final = 1 << 20
_DEFAULT_LEASE: Final = timedelta(seconds=30)
_SHORTEST_LEASE: Final = timedelta(milliseconds=100)


class DeclarationWarning(UserWarning):
    """A declaration that works, but probably not as it was meant."""


@dataclass(frozen=True)
class QueueOptions(Generic[JobT_co]):
    """One queue of a flow.

    Args:
        name: The queue's name; of a child queue, its own name without its parent's.
        job: The job class: the fields that the queue's worker function needs.
        next_queue: Where a job goes from here; None: it is done.
        children: Child queues; with them the queue is a parent queue.
        on_child_failure: A parent's way when a child did not end well: "continue" and see it in the
            results, or "fail".
        retries: Whether and when attempts that failed are made again; None: the job fails with the first.
        timeout: An attempt that runs longer is ended: see docs/flows.md for what that means in threads.
    """

    name: str
    job: type[JobT_co]
    next_queue: str | None = None
    children: Sequence[QueueOptions[Job]] = ()
    _: KW_ONLY
    on_child_failure: Literal["continue", "fail"] = "continue"
    retries: Retries | None = None
    timeout: timedelta | None = None

    def __post_init__(self) -> None:
        """Check the names and the job class.

        Raises:
            DeclarationError: one of them cannot be used.
        """
        check_name("queue", self.name)
        if not (isinstance(self.job, type) and issubclass(self.job, Job)):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"queue {self.name!r}: job={self.job!r} is not a subclass of flows.Job"
            raise DeclarationError(msg)
        user_fields(self.job)
        if self.on_child_failure not in {"continue", "fail"}:
            msg = f"queue {self.name!r}: on_child_failure is 'continue' or 'fail'"
            raise DeclarationError(msg)
        if self.retries is not None and not isinstance(self.retries, Retries):  # pyright: ignore[reportUnnecessaryIsInstance]
            msg = f"queue {self.name!r}: retries={self.retries!r}: give a flows.Retries"
            raise DeclarationError(msg)
        if self.timeout is not None:
            _check_positive(f"queue {self.name!r}: timeout", self.timeout)
        self._check_children()

    def _check_children(self) -> None:
        seen: set[str] = set()
        for child in self.children:
            check_child_name(child.name)
            if child.next_queue is not None:
                msg = f"child queue {child.name!r} of {self.name!r} has a next_queue: a child is done after its queue"
                raise DeclarationError(msg)
            if child.name in seen:
                msg = f"queue {self.name!r} declares the child queue {child.name!r} twice"
                raise DeclarationError(msg)
            seen.add(child.name)


@dataclass(frozen=True)
class Retention:
    """How long the hash of a job that has ended stays, by how it ended."""

    done: timedelta = DEFAULT_TTL
    failed: timedelta = DEFAULT_TTL
    cancelled: timedelta = DEFAULT_TTL

    def __post_init__(self) -> None:
        """Check the times.

        Raises:
            DeclarationError: one is not positive.
        """
        for name in ("done", "failed", "cancelled"):
            _check_positive(f"retention of {name} jobs", getattr(self, name))


@dataclass(frozen=True)
class FlowOptions(Generic[JobT_co, KeyT_co]):
    """A flow: its name, its queues in order (the first is where jobs enter), and its limits.

    Args:
        name: The flow's name; jobs are `job:<name>:<id>`.
        queues: At least one.
        lookup_attributes: Fields of Params by whose values jobs can be found.
        logger: Where the flow logs; the logger `flows` by default.
        namespace: Put before every key; `{tag}` keeps a flow in one slot of a cluster.
        redis_url: The server; else `FLOWS_REDIS_URL`, `REDIS_URL`, and then the embedded one.
        job_ttl: How long a job is kept after the last thing that happened to it; None: until it ends.
        retention: How long a job that has ended is kept; the same as job_ttl by default.
        max_payload: The most that the fields of one job, or of one result, may take, in bytes.
        lease: How long a worker owns a job without renewing, which it does four times in that.
        hang_limit: An event loop that is blocked for longer loses its leases.
        max_crashes: A job that was handed out alone and whose worker died fails after so many times.
        allow_eviction: Use a server whose eviction policy drops keys, and with them jobs.
    """

    name: str
    queues: Sequence[QueueOptions[JobT_co]]
    lookup_attributes: Sequence[KeyT_co] = ()
    _: KW_ONLY
    logger: logging.Logger | None = None
    namespace: str = ""
    redis_url: str | None = None
    job_ttl: timedelta | None = DEFAULT_TTL
    retention: Retention | timedelta | None = None
    max_payload: int = DEFAULT_MAX_PAYLOAD
    lease: timedelta = _DEFAULT_LEASE
    hang_limit: timedelta = timedelta(minutes=10)
    max_crashes: int = 3
    allow_eviction: bool = False

    def __post_init__(self) -> None:
        """Check everything that can be seen from here.

        Raises:
            DeclarationError: something cannot work; the message says what.
        """
        check_name("flow", self.name)
        check_namespace(self.namespace)
        self._check_limits()
        self._check_queues()
        self._check_lookups()
        self._check_collisions()
        self._check_results()
        self._warn_of_endless_cycle()

    @property
    def retained(self) -> Retention:
        """How long jobs that have ended are kept."""
        if isinstance(self.retention, Retention):
            return self.retention
        time = self.retention or self.job_ttl or DEFAULT_TTL
        return Retention(done=time, failed=time, cancelled=time)

    def walk(self) -> Iterator[tuple[str, QueueOptions[Job]]]:
        """Go through all queues and child queues, each with its full name."""
        for queue in self.queues:
            yield from _walk(queue.name, queue)

    def _check_limits(self) -> None:
        if self.job_ttl is not None:
            _check_positive("job_ttl", self.job_ttl)
        if self.retention is not None and not isinstance(self.retention, Retention):
            _check_positive("retention", self.retention)
        _check_positive("lease", self.lease)
        _check_positive("hang_limit", self.hang_limit)
        if self.lease < _SHORTEST_LEASE:
            msg = f"lease={self.lease} is too short to be renewed: give at least {_SHORTEST_LEASE}"
            raise DeclarationError(msg)
        for name in ("max_payload", "max_crashes"):
            number: object = getattr(self, name)
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                msg = f"{name}={number!r}: give a positive whole number"
                raise DeclarationError(msg)

    def _check_queues(self) -> None:
        if not self.queues:
            msg = f"flow {self.name!r} has no queues: give at least one"
            raise DeclarationError(msg)
        names = [queue.name for queue in self.queues]
        for queue in self.queues:
            if names.count(queue.name) > 1:
                msg = f"flow {self.name!r} declares the queue {queue.name!r} twice"
                raise DeclarationError(msg)
            if queue.next_queue is not None and queue.next_queue not in names:
                msg = (
                    f"queue {queue.name!r}: next_queue={queue.next_queue!r} is no queue of the flow; "
                    f"they are {', '.join(names)}"
                )
                raise DeclarationError(msg)
            if queue.children and (queue.retries or queue.timeout):
                msg = f"{queue.name!r} is a parent queue, which runs no function: give retries and timeout to others"
                raise DeclarationError(msg)
        for full_name, _queue in self.walk():
            if full_name.count(":") >= MAX_DEPTH:
                msg = f"queue {full_name!r} is nested too deeply: {MAX_DEPTH} levels at most"
                raise DeclarationError(msg)

    def _check_lookups(self) -> None:
        for attribute in self.lookup_attributes:
            check_name("lookup attribute", attribute)
            if not FIELD.fullmatch(attribute) or list(self.lookup_attributes).count(attribute) > 1:
                msg = f"lookup attribute {attribute!r} is no field name, or is named twice"
                raise DeclarationError(msg)

    def _check_collisions(self) -> None:
        seen: dict[str, str] = {}
        for name, kind in claimed_names(self):
            if name in seen:
                msg = f"the {kind} {name!r} and the {seen[name]} of the same name would share keys: rename one of them"
                raise DeclarationError(msg)
            seen[name] = kind

    def _check_results(self) -> None:
        parents = {
            full_name: {child.name for child in queue.children} for full_name, queue in self.walk() if queue.children
        }
        for full_name, queue in self.walk():
            for field, mark in children_fields(queue.job).items():
                if mark.child not in parents.get(mark.queue, ()):
                    msg = (
                        f"{queue.job.__name__}.{field} of queue {full_name!r} wants the results of the child "
                        f"{mark.child!r} of {mark.queue!r}, which the flow does not declare"
                    )
                    raise DeclarationError(msg)

    def _warn_of_endless_cycle(self) -> None:
        following = {queue.name: queue.next_queue for queue in self.queues}
        path: list[str] = []
        name: str | None = self.queues[0].name
        while name is not None:
            if name in path:
                cycle = " → ".join([*path[path.index(name) :], name])
                msg = f"flow {self.name!r}: {cycle} has no end unless a worker function returns next_queue"
                warnings.warn(msg, DeclarationWarning, stacklevel=4)
                return
            path.append(name)
            name = following[name]


def claimed_names(options: FlowOptions[Job, str]) -> Iterator[tuple[str, str]]:
    """Go through the names that keys are made of, each with its kind; no two flows may share one."""
    yield options.name, "flow"
    for attribute in options.lookup_attributes:
        yield f"{options.name}:{attribute}", "lookup"
    for full_name, queue in options.walk():
        if queue.children:
            yield full_name, "parent queue"
        elif ":" in full_name:
            yield full_name, "child queue"


def _walk(full_name: str, queue: QueueOptions[Job]) -> Iterator[tuple[str, QueueOptions[Job]]]:
    yield full_name, queue
    for child in queue.children:
        yield from _walk(f"{full_name}:{child.name}", child)


def _check_positive(what: str, value: object) -> None:
    if not isinstance(value, timedelta):
        msg = f"{what}={value!r}: give a datetime.timedelta"
        raise DeclarationError(msg)
    if value <= timedelta(0):
        msg = f"{what}={value} is not positive: give a longer time"
        raise DeclarationError(msg)
