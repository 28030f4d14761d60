"""What one queue of a flow is, checked when it is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Generic, Literal

from typing_extensions import TypeVar

from flows.errors import DeclarationError
from flows.model.annotations.completion import complete
from flows.model.duration import Duration, OptionalDuration, check_duration
from flows.model.job import Job, user_fields
from flows.model.limits.declared import declared_rules
from flows.model.names import check_child_name, check_name
from flows.model.option_checks import check_list
from flows.model.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flows.model.limits.limiter import Limiter
    from flows.model.limits.rules import Rules
    from flows.model.limits.slots import Slots

JobT_co = TypeVar("JobT_co", bound=Job, covariant=True, default=Job)


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
        timeout: An attempt that runs longer is ended: see docs/attempts.md for what that means in threads. In seconds,
            or a timedelta.
        formerly: Names that the queue had before: jobs that are left there, or still come there, are moved here.
        priorities: How many priorities its jobs have, 1 to 8: those of 1 go first, and others wait until no job of a
            lower number is there. Or the share of each, such as `(8, 3, 1)`, so that none waits for ever.
        next_queue_priority_diff: Added to a job's priority when it leaves for its next queue, whose priorities it
            keeps to.
        group_by: A field of Params (in a child queue, of its job class), a str or an int: the jobs of each of its
            values are a group, and groups take turns. By default the `group_key` of its limits.
        limits: How many jobs may start in a time; a job starts when all of them allow it.
        max_concurrency: How many jobs may run at a time, over all workers: a number, or `Slots` that several queues
            share. A job that runs holds its slot as long as its lease.
        max_concurrency_per_group: How many of one group.
        shared: Several flows have the queue, each with its own next queue: all declare it so, with the same job class,
            the same rules and the same child queues. Workers of any of them take the jobs of all.

    Raises DeclarationError where one of them cannot be used, or two contradict each other.
    """

    name: str
    job: type[JobT_co]
    next_queue: str | None = None
    children: Sequence[QueueOptions[Job]] = ()
    _: KW_ONLY
    on_child_failure: Literal["continue", "fail"] = "continue"
    retries: Retries | None = None
    timeout: OptionalDuration = Duration(None)  # noqa: RUF009 - a descriptor
    formerly: Sequence[str] = ()
    priorities: int | Sequence[float] = 1
    next_queue_priority_diff: int = 0
    group_by: str | None = None
    limits: Sequence[Limiter] = ()
    max_concurrency: int | Slots | None = None
    max_concurrency_per_group: int | None = None
    shared: bool = False

    def __post_init__(self) -> None:
        """Check the names, the job class and the policies.

        Raises:
            DeclarationError: one of them cannot be used.
        """
        self._check_name()
        if not (isinstance(self.job, type) and issubclass(self.job, Job)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"queue {self.name!r}: job={self.job!r} is not a subclass of flows.Job")
        complete(self.job)
        user_fields(self.job)
        if self.next_queue is not None and not isinstance(self.next_queue, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"queue {self.name!r}: next_queue={self.next_queue!r}: give a queue's name")
        if self.on_child_failure not in ("continue", "fail"):  # what is given may have no hash
            raise DeclarationError(f"queue {self.name!r}: on_child_failure is 'continue' or 'fail'")
        if self.retries is not None and not isinstance(self.retries, Retries):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"queue {self.name!r}: retries={self.retries!r}: give a flows.Retries")
        if self.timeout is not None:
            check_duration(f"queue {self.name!r}: timeout", self.timeout)
        if isinstance(self.formerly, str) or not isinstance(self.formerly, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"queue {self.name!r}: formerly={self.formerly!r}: give a list of names")
        for name in self.formerly:
            check_name("queue", name)
        declared_rules(self)
        if self.shared and self.formerly:
            raise DeclarationError(
                f"queue {self.name!r}: shared=True and formerly={self.formerly!r}: jobs stand otherwise in a shared "
                "queue, and cannot be moved to it"
            )
        self._check_children()

    def _check_name(self) -> None:
        check_name("queue", self.name)

    @property
    def rules(self) -> Rules | None:
        """What its priorities, groups, limits and slots mean together; None where it has none of them."""
        return declared_rules(self)

    def _check_children(self) -> None:
        seen: set[str] = set()
        check_list(f"queue {self.name!r}: children", self.children)
        for child in self.children:
            check_queue(child)
            check_child_name(child.name)
            if child.next_queue is not None:
                raise DeclarationError(
                    f"child queue {child.name!r} of {self.name!r} has a next_queue: a child is done after its queue"
                )
            if child.formerly:
                raise DeclarationError(
                    f"child queue {child.name!r} of {self.name!r}: formerly= is for queues of the flow alone, "
                    "since a child's key bears its queue's name: see docs/deploying.md"
                )
            if child.shared:
                raise DeclarationError(
                    f"child queue {child.name!r} of {self.name!r} has shared=True: say so of the parent queue, which "
                    "its child queues follow"
                )
            if child.next_queue_priority_diff:
                raise DeclarationError(
                    f"child queue {child.name!r} of {self.name!r} has a next_queue_priority_diff: a child is done "
                    "after its queue"
                )
            if child.name in seen:
                raise DeclarationError(f"queue {self.name!r} declares the child queue {child.name!r} twice")
            seen.add(child.name)


def check_queue(queue: object) -> None:
    """Check that something is the options of a queue.

    Raises:
        DeclarationError: it is not.
    """
    if not isinstance(queue, QueueOptions):
        raise DeclarationError(f"{queue!r} is no queue: give a QueueOptions")


def walk(queues: Iterable[QueueOptions[Job]], parent: str = "") -> Iterator[tuple[str, QueueOptions[Job]]]:
    """Yield queues and their child queues, each with its full name, which begins with its parent's."""
    for queue in queues:
        full_name = f"{parent}:{queue.name}" if parent else queue.name
        yield full_name, queue
        yield from walk(queue.children, full_name)
