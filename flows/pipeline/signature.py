"""The types by which checkers hold a queue, its job class and its worker function against each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Never, Protocol, TypeAlias

from pydantic import BaseModel
from typing_extensions import TypeVar

from flows.model.job import Job, JobResult
from flows.model.verdict import Verdict

JobT = TypeVar("JobT", bound=Job)
JobT_co = TypeVar("JobT_co", bound=Job, covariant=True)
FlowJobT_co = TypeVar("FlowJobT_co", bound=Job, covariant=True)
ParamsT = TypeVar("ParamsT", bound=BaseModel)
KeyT = TypeVar("KeyT", bound=str, default=Never)
QueueJobT = TypeVar("QueueJobT", bound=Job)
ChildJobT = TypeVar("ChildJobT", bound=Job)
#: The job class of a queue that a decorator names. Where it is named by text, no checker knows the class.
NamedJobT = TypeVar("NamedJobT", bound=Job, default=Any)

#: What a worker function returns.
Returned: TypeAlias = Awaitable[JobResult | Verdict | None] | JobResult | Verdict | None
ReturnedT = TypeVar("ReturnedT", bound=Returned)
ResourceT = TypeVar("ResourceT", default=Any)
#: Opens a resource: an async context manager function, such as `contextlib.asynccontextmanager` makes.
LifespanOf: TypeAlias = Callable[[], AbstractAsyncContextManager[ResourceT]]
#: `async def`, `def` (run in a thread), or `def` with executor="process".
WorkerFunction: TypeAlias = Callable[[QueueJobT], Returned]

#: What the function of a batch returns for each job; an exception: that job alone has failed.
BatchItem: TypeAlias = JobResult | Verdict | Exception | None
BatchReturned: TypeAlias = Awaitable[Sequence[BatchItem]] | Sequence[BatchItem]
BatchReturnedT = TypeVar("BatchReturnedT", bound=BatchReturned)
#: `async def` or `def` (run in a thread); it returns an item for each job, in their order.
BatchFunction: TypeAlias = Callable[[list[QueueJobT]], BatchReturned]


class WorkerDecorator(Protocol[QueueJobT]):
    """Creates workers that run the function that it decorates, and returns the function as it is."""

    def __call__(self, function: Callable[[QueueJobT], ReturnedT], /) -> Callable[[QueueJobT], ReturnedT]:
        """Create the workers."""
        ...


class ResourceWorkerDecorator(Protocol[QueueJobT, ResourceT]):
    """The same for a function whose second argument is what a lifespan brings."""

    def __call__(
        self, function: Callable[[QueueJobT, ResourceT], ReturnedT], /
    ) -> Callable[[QueueJobT, ResourceT], ReturnedT]:
        """Create the workers."""
        ...


class BatchDecorator(Protocol[QueueJobT]):
    """Creates workers that run the function that it decorates for batches, and returns the function as it is."""

    def __call__(
        self, function: Callable[[list[QueueJobT]], BatchReturnedT], /
    ) -> Callable[[list[QueueJobT]], BatchReturnedT]:
        """Create the workers."""
        ...


class ResourceBatchDecorator(Protocol[QueueJobT, ResourceT]):
    """The same for a function whose second argument is what a lifespan brings."""

    def __call__(
        self, function: Callable[[list[QueueJobT], ResourceT], BatchReturnedT], /
    ) -> Callable[[list[QueueJobT], ResourceT], BatchReturnedT]:
        """Create the workers."""
        ...


class JobClass(Protocol[JobT_co, FlowJobT_co]):
    """A job class that stands for a queue: it is `JobT_co`, and one of the flow's."""

    def __job_class__(self) -> type[JobT_co]:
        """Return the class itself."""
        ...

    def __flow_job_class__(self) -> type[FlowJobT_co]:
        """Return the class as one of the flow's."""
        ...
