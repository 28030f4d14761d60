"""What the function of a batch gets and returns: its jobs, what they have in common, and a result for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from flows.model.verdict import Fail
from flows.service.context import ClientT_co, Context

if TYPE_CHECKING:
    from collections.abc import Sequence

PayloadT_co = TypeVar("PayloadT_co", covariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)


class BatchJob(Context[None], Generic[PayloadT_co]):
    """One job of a batch: what it was created with, and what its function tells of it alone.

    Attributes:
        payload: What it was created with.
        failed: Why it is to fail, where the function has said so.
    """

    __slots__ = ("failed", "payload")

    def __init__(self, payload: PayloadT_co, of: Context[object]) -> None:
        super().__init__(of._current, of.type, of.tenant, None, of._entered, of._links)  # noqa: SLF001 - of its class
        self.payload = payload
        self.failed: Fail | None = None

    def fail(self, reason: str, type: str | None = None) -> None:
        """Let this job fail, whatever the function returns; the others of the batch end as it says.

        Args:
            reason: Why; it becomes the message of the job's error.
            type: The type of the error.

        Raises:
            ValidationError: this can be no type of an error.
        """
        self.failed = Fail(reason, type=type)


class Batch(Generic[ClientT_co]):
    """What the jobs of a batch have in common.

    Attributes:
        type: Their type.
        tenant: Whose they are; empty: nobody's.
        client: What the service's `connect` has brought for the tenant; None of a service without it.
    """

    __slots__ = ("client", "tenant", "type")

    def __init__(self, kind: str, tenant: str, client: ClientT_co) -> None:
        self.type = kind
        self.tenant = tenant
        self.client = client


class Each(Generic[ResultT_co]):
    """A result for each job of a batch, in their order: `return Each([...])`.

    Where a function returns another value, that is the result of each of them.
    """

    __slots__ = ("results",)

    def __init__(self, results: Sequence[ResultT_co]) -> None:
        self.results = results

    def __repr__(self) -> str:
        return f"Each({self.results!r})"
