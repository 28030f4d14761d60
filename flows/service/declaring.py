"""`@service.on(…)`: makes a `JobType` of a function, whose annotations say what it takes and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from flows.service.batches.batch import Batch, BatchJob, Each
from flows.service.context import Context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.service.job_type import JobType

PayloadT = TypeVar("PayloadT")
ResultT = TypeVar("ResultT")
ClientT_co = TypeVar("ClientT_co", covariant=True)


class On(Protocol[ClientT_co]):
    """The decorator that `on` returns: it makes a `JobType` of a function of `(payload, job)`."""

    @overload
    def __call__(
        self, function: Callable[[PayloadT, Context[ClientT_co]], Awaitable[ResultT]], /
    ) -> JobType[PayloadT, ResultT]: ...
    @overload
    def __call__(
        self, function: Callable[[PayloadT, Context[ClientT_co]], ResultT], /
    ) -> JobType[PayloadT, ResultT]: ...
    def __call__(self, function: Callable[..., Any], /) -> JobType[Any, Any]:
        """Make the type.

        Raises:
            DeclarationError: the function is none of a payload and a context, a type of it cannot be resolved or never
                comes back from JSON, or the service has a type of this name.
        """
        ...


class OnBatch(Protocol[ClientT_co]):
    """The decorator that `on_batch` returns: it makes a `JobType` of a function of `(jobs, batch)`."""

    @overload
    def __call__(
        self, function: Callable[[list[BatchJob[PayloadT]], Batch[ClientT_co]], Awaitable[Each[ResultT]]], /
    ) -> JobType[PayloadT, ResultT]: ...
    @overload
    def __call__(
        self, function: Callable[[list[BatchJob[PayloadT]], Batch[ClientT_co]], Awaitable[ResultT]], /
    ) -> JobType[PayloadT, ResultT]: ...
    @overload
    def __call__(
        self, function: Callable[[list[BatchJob[PayloadT]], Batch[ClientT_co]], Each[ResultT]], /
    ) -> JobType[PayloadT, ResultT]: ...
    @overload
    def __call__(
        self, function: Callable[[list[BatchJob[PayloadT]], Batch[ClientT_co]], ResultT], /
    ) -> JobType[PayloadT, ResultT]: ...
    def __call__(self, function: Callable[..., Any], /) -> JobType[Any, Any]:
        """Make the type.

        Raises:
            DeclarationError: the function is none of a list of jobs and a batch, a type of it cannot be resolved or
                never comes back from JSON, or the service has a type of this name.
        """
        ...
