"""`Backend`: where the functions of tasks run; `Executor`: where whole executions do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from datetime import timedelta

    from flows.model.job import JobError
    from flows.model.runs.new_run import NewRun
    from flows.model.schedules.cron import Cron
    from flows.model.schedules.every import Every
    from flows.model.schedules.record import ScheduleRecord
    from flows.tree.asked import Asked, When
    from flows.tree.backend.runs import TreeRuns
    from flows.tree.current import CurrentTask
    from flows.tree.declare import Task
    from flows.tree.storage.protocol import Token

#: What a function has asked for, beside failing: `again` and `later` with or without a time, `never` again, or that the
#: whole execution is cancelled.
Wish: TypeAlias = Literal["", "again", "later", "never", "cancel"]


@dataclass(slots=True)
class Order:
    """One attempt at a task, which is never changed; not frozen, which takes several times as long to make.

    Attributes:
        view: The fields of its function's view, as a JSON object.
        timeout: How long it may take, in seconds.
        task: The task itself, for a backend in this process.
        current: What its function sees of the attempt, for the same.
        turn: Which call of the attempt it is, from 1: a function that wants to be called later is called again.
    """

    instance_id: str
    generator: str
    execution: str
    path: str
    attempt: int
    view: bytes
    timeout: float | None
    task: Task[Any] = field(repr=False)
    current: CurrentTask = field(repr=False)
    turn: int = 1


@dataclass(slots=True)
class Outcome:
    """How an attempt has ended: with a result as JSON, or an error; it is never changed, as an `Order` is not.

    Attributes:
        classes: The qualified names of the error's class and of those it descends from.
        wish: What the function has asked for.
        after: After how long, where it says.
        lines: What it has logged, as `pack_line` makes it, where it ran without the storage.
    """

    result: bytes | None = None
    error: JobError | None = None
    classes: tuple[str, ...] = ()
    wish: Wish = ""
    after: timedelta | None = None
    lines: tuple[str, ...] = ()


class Progress(NamedTuple):
    """How far an order is that was handed over; it may be lost, or come late.

    Attributes:
        value: From 0 to 1.
        message: What is being done.
    """

    value: float
    message: str = ""


class Returned(Protocol):
    """An outcome of what was handed over, which may come more than once; or how far that is."""

    instance_id: str
    execution: str
    path: str
    attempt: int
    turn: int
    outcome: Outcome | Progress

    async def ack(self) -> None:
        """Say that it has been taken: it need not come again."""
        ...


class Backend(Protocol):
    """Runs functions of tasks, here or elsewhere."""

    async def dispatch(self, order: Order) -> Outcome | None:
        """Run an order, or hand it over (None); it may be sent twice. Whoever awaits this may be cancelled."""
        ...

    def outcomes(self) -> AsyncIterator[Returned]:
        """Yield the outcomes of what was handed over, each at least once, and its progress where that is known."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


class Orders(Protocol):
    """Runs the orders of one execution, wherever their tasks belong, until each has an outcome."""

    async def run(self, order: Order) -> Outcome:
        """Return the outcome of an order; one that was handed over already is only waited for."""
        ...

    async def pause(self, order: Order, seconds: float) -> None:
        """Wait before the attempt that follows an order; where that was waited for already, return at once."""
        ...

    def enter(self) -> None:
        """Note that a task begins: while one does something, the execution is not put aside."""
        ...

    def leave(self) -> None:
        """Note that a task has ended."""
        ...


class Working(Protocol):
    """Works on executions: what `Trees` gives its executor."""

    async def execute(
        self,
        instance_id: str,
        token: Token,
        orders: Orders,
        cancelled: Callable[[], str | None],
        later: Asked | None = None,
    ) -> dict[str, str]:
        """Execute what the token's execution consists of, as far as it was not executed, until it has ended.

        Returns the `path` that was asked for, and the `status` as which it has ended; nothing where another one goes on
        with it, or the instance is gone.

        Args:
            instance_id: The instance.
            token: Who works on it: one with a higher fence than 1 takes over.
            orders: Runs the tasks' functions.
            cancelled: Where this is cancelled, says for which reason the execution was; None: it goes on elsewhere.
            later: What is to be begun now, where the execution has not been begun.

        Raises:
            TreeBusy: it was to be begun, and another execution works on the instance.
            StoreError: the storage cannot be used.
        """
        ...

    async def give_up(self, instance_id: str, token: Token, error: JobError, *, cancelled: bool) -> None:
        """Record that an execution has ended by no task of its own, unless its end is recorded."""
        ...

    async def report(self, returned: Returned, progress: Progress) -> None:
        """Write how far a task is that was handed over, where it is further than is known, and has not ended.

        Raises:
            StoreError: the storage cannot be used.
        """
        ...

    async def execute_task(self, instance_id: str, token: Token, path: str, attempt: int, call: Call) -> Outcome:
        """Run one task's function, given what the instance says: for workers of the queue of that task."""
        ...


class Call(Protocol):
    """Calls the function of a task in this process."""

    def __call__(self, order: Order, /) -> Awaitable[Outcome]:
        """Return how that has ended."""
        ...


class Executor(Protocol):
    """Runs executions that have been begun in the storage.

    Attributes:
        needs_workers: Whether somebody has to create workers.
    """

    needs_workers: bool

    def bind(self, working: Working, runs: TreeRuns, backends: Mapping[str, Backend]) -> None:
        """Take what works on an execution, the runs of the app, and the backends of single tasks; called once."""
        ...

    def run_of(self, instance_id: str, execution: str) -> NewRun | None:
        """Return the run that is to work on an execution, where it is a run: `start` starts that."""
        ...

    async def start(self, instance_id: str, execution: str) -> None:
        """Let an execution be worked on, by somebody, until it has ended; it may be asked for twice."""
        ...

    async def start_later(self, instance_id: str, execution: str, asked: Asked, when: When) -> None:
        """Let an execution be begun later."""
        ...

    async def repeat(self, instance_id: str, asked: Asked, schedule: Cron | Every) -> ScheduleRecord:
        """Let executions be begun by a schedule, until that is deleted or the instance is."""
        ...

    async def under_way(self, execution: str) -> bool | None:
        """Return whether an execution is worked on, or is to be; None: nothing is known of it."""
        ...

    async def is_served(self) -> bool:
        """Return whether anybody is there to work on executions."""
        ...

    async def cancel(self, instance_id: str, execution: str, reason: str) -> bool:
        """Cancel an execution; False: nobody works on it. It may end a while after this."""
        ...

    async def close(self) -> None:
        """Cancel what is worked on here, and let go of all."""
        ...
