"""`Context`: what a running job's function reads of its attempt, and tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

from flows.errors import ValidationError
from flows.service.job_log import JobLog
from flows.service.service_params import MOST_LINKS, check_link

if TYPE_CHECKING:
    from flows.kernel.current import CurrentJob
    from flows.service.tenants.tenancy import Entered

ClientT_co = TypeVar("ClientT_co", covariant=True, default=None)


class Context(Generic[ClientT_co]):
    """One attempt at a job of a service, as its function sees it; all methods may be called from threads too.

    Attributes:
        type: The job's type.
        tenant: Whose job it is; empty: nobody's.
        client: What the service's `connect` has brought for the tenant; None of a service without it.
    """

    __slots__ = ("_current", "_entered", "_links", "client", "tenant", "type")

    def __init__(  # noqa: PLR0917 - the facts of an attempt
        self, current: CurrentJob, kind: str, tenant: str, client: ClientT_co, entered: Entered, links: list[str]
    ) -> None:
        self._current = current
        self.type = kind
        self.tenant = tenant
        self.client = client
        self._entered = entered
        self._links = links

    @property
    def log(self) -> JobLog:
        """The job's log."""
        return JobLog(self._current, self._entered)

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self._current.id

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._current.attempt

    @property
    def fence(self) -> int:
        """A number that rises with every attempt: a target that remembers the highest can refuse older ones."""
        return self._current.fence

    @property
    def deadline(self) -> float | None:
        """When the type's timeout ends the attempt, on the clock of `time.monotonic()`."""
        return self._current.deadline

    @property
    def cancelled(self) -> bool:
        """Whether the attempt shall end: by a cancellation, its timeout, a lost lease, or a worker that stops."""
        return self._current.cancelled

    @property
    def idempotency_key(self) -> str:
        """A key that all attempts of this job share: give it to targets that can drop repetitions."""
        return self._current.idempotency_key

    @property
    def correlation_id(self) -> str | None:
        """What the job was created with as `correlation_id=`."""
        return self._current.correlation_id

    def progress(self, value: float, message: str = "") -> None:
        """Report how far the job is: `value` from 0 to 1, and what the function is doing.

        Raises:
            ValidationError: the value is no number between 0 and 1, or the message no text.
            LostLease: the attempt has lost its lease, or has ended.
        """
        self._current.progress(value, self._entered.scrubbed(message))

    def link(self, resource: str) -> None:
        """Link the job to what it is about, such as `orders/7`: `service.jobs_of` finds it so, once it has ended.

        Where the attempt fails and is made again, the next one says it anew.

        Raises:
            ValidationError: this is no line of 1 to 200 bytes, or the attempt has linked the job to 64 others.
        """
        checked = check_link(resource)
        if checked not in self._links:
            if len(self._links) >= MOST_LINKS:
                raise ValidationError(f"link({resource!r:.80}): an attempt links its job to {MOST_LINKS} at most")
            self._links.append(checked)
