"""Calls a worker function that takes many jobs at once, for one of them at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.errors import DeclarationError
from flows.kernel.around.batches import Batches, Batching
from flows.kernel.handler import Handler, make_handler
from flows.model.duration import as_timedelta, check_duration, in_seconds
from flows.model.option_checks import check_number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.handler import ExecutorKind
    from flows.kernel.resources import Lifespan
    from flows.model.job import Job

#: How long the first job of a batch waits for others, unless `linger` says.
LINGER: Final = timedelta(milliseconds=10)


def check_batching(batch: object, linger: object, executor: object, timeout: timedelta | None) -> Batching | None:
    """Return how workers are to gather jobs; None where their function takes one at a time.

    Args:
        batch: How many jobs at most, or None.
        linger: A timedelta, or seconds; None: `LINGER`.
        executor: What `create_workers` was given.
        timeout: The queue's.

    Raises:
        DeclarationError: a number or a time cannot be, or the function would run in processes.
    """
    if batch is None:
        if linger is not None:
            raise DeclarationError(f"linger={linger!r} without batch=: give batch= too, how many jobs at most")
        return None
    check_number("batch", batch)
    assert isinstance(batch, int)  # noqa: S101 - just checked
    if executor is not None:
        raise DeclarationError(f"batch={batch} with executor={executor!r}: batches run in the loop or in a thread")
    waits = LINGER if linger is None else as_timedelta(linger)
    if waits != timedelta(0):
        check_duration("linger", waits)
    if timeout is not None and waits >= timeout:
        raise DeclarationError(
            f"linger={in_seconds(waits)} is not shorter than the queue's timeout of {in_seconds(timeout)}, which "
            "includes it: give a shorter linger"
        )
    return Batching(batch, waits.total_seconds())


class BatchHandler(Handler):
    """A worker function that takes many jobs at once; `call` is the call for one of them."""

    def __init__(  # noqa: PLR0917 - what it is made of, given once
        self,
        function: Callable[[Any], Any],
        job_class: type[Job],
        executor: ExecutorKind,
        concurrency: int,
        batching: Batching,
        lifespan: Lifespan | None = None,
    ) -> None:
        super().__init__(function, job_class, executor, concurrency, None, lifespan)
        self._call_many: Callable[[list[Any]], Awaitable[Any]] = self.call
        self._batching = batching
        self._batches: Batches | None = None
        self.call = self._call_one

    def open(self) -> None:
        """Open the pool of threads, and begin with no job gathered."""
        super().open()
        if self._batches is None:
            self._batches = Batches(self._call_many, self._batching, self._concurrency)

    def close(self) -> None:
        """Close the pool; jobs that were gathered were given up before, by their lanes."""
        super().close()
        self._batches = None

    def forsake(self, *, inherited: bool) -> None:
        """Leave behind what a loop that has ended has gathered."""
        super().forsake(inherited=inherited)
        self._batches = None

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks is one of its batches, or the lifespan that its resource comes from."""
        return super().runs_here or (self._batches is not None and self._batches.runs_here)

    async def _call_one(self, job: Job) -> Any:
        assert self._batches is not None  # noqa: S101 - its worker has opened it
        return await self._batches.call(job)


def make_batch_handler(
    function: Callable[[Any], Any],
    job_class: type[Job],
    concurrency: int,
    batching: Batching,
    lifespan: Lifespan | None = None,
) -> BatchHandler:
    """Return the handler of a worker function that takes many jobs; `concurrency` is how many batches run at once.

    Raises:
        DeclarationError: it is no function of one argument.
    """
    one = make_handler(function, job_class, None, concurrency, lifespan=lifespan)
    return BatchHandler(function, job_class, one.executor, concurrency, batching, lifespan)
