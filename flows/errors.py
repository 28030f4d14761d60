"""Every error that flows raises, as one tree.

FlowsError
├── DeclarationError       a flow, queue, worker or job class is declared wrongly
├── ValidationError        params, a result or an argument are refused
│   ├── QuerySyntaxError   the text of a query cannot be read
│   └── PayloadTooLarge    it is over the limit of bytes or of children
├── MalformedJob           a job's hash does not hold what its class declares
│   └── FieldMissing       it lacks a field that the class needs
├── JobNotDone             the job has not ended, and lacks what was asked for so far
├── StateError             the job's state does not allow what was asked
├── JobExists              another job has the key that this one was to have
│   ├── IdempotencyConflict  it has other params, or a run has other input
│   └── DuplicateJob       the key still holds
├── StepFailed             a step of a run has failed (it and those down to UnknownWorkflow: model/runs/errors.py)
│   ├── StepTimeout        it took too long
│   └── ChildFailed        the run that it waited for did not end as done
├── DuplicateStep          two steps of a run have the same name
├── PlanChanged            a run's recorded steps are not those of its workflow's code any more
├── RunFailed              the run has failed
├── RunCancelled           the run was cancelled
├── UnknownWorkflow        no app ever had a workflow of this name
├── UnknownSchedule        there is no schedule of this id (model/schedules/errors.py)
├── TaskNotReady           a task of a tree depends on others that are not ready (to InstanceGone: model/tree/errors.py)
├── TreeBusy               an execution works on the instance already
├── TreeFailed             an execution has failed
├── UnknownPath            a tree has no task at this path
├── UnknownGenerator       no app has a generator of this name
├── InstanceGone           the instance of a tree has expired or was destroyed
├── WrongLoop              another event loop that runs has the flow open
├── PortInUse              something else listens on the port that was asked for (also an OSError)
├── HostUnable             this machine has no thread, process, descriptor or memory left for what was asked
├── LostLease              the attempt has lost its lease, or has ended: what it reports is refused
├── JobGone                the job has expired or was deleted
├── WaitTimeout            the job did not end in the time given (also a TimeoutError)
├── Forbidden              an operator's caller may not do what it asked for
├── TooManyRequests        a caller asks more often than a server answers
├── QueryChanged           a query matches many more or fewer jobs than were seen
├── NothingThere           there is no flow, queue or process of the name that was given
├── MissingExtra           an optional package is not installed (also an ImportError)
└── StoreError             Redis could not do it
    ├── StoreUnavailable   no server, refused credentials, or no answer in time
    ├── StoreFull          the server is out of memory and takes no new jobs
    ├── UnsafeServer       the server is set up so that it would lose jobs
    └── KeyConflict        one of our keys holds something that is not ours

And one warning: DeclarationWarning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: So much of a text is shown from where it cannot be read.
_SHOWN: Final = 20


class Fault(NamedTuple):
    """One value that is refused."""

    place: tuple[str | int, ...]
    """Where it stands: names of members, and numbers of items from 0 on."""
    message: str


class FlowsError(Exception):
    """The root of all errors of flows."""


class DeclarationError(FlowsError, ValueError):
    """A flow, queue, worker or job class is declared in a way that cannot work."""


class DeclarationWarning(UserWarning):
    """A declaration that works, but probably not as it was meant."""


class ValidationError(FlowsError, ValueError):
    """Params, a result or an argument are refused; nothing has been written.

    Where it is values within what was given that are refused, `faults` has each of them.
    """

    def __init__(self, message: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class QuerySyntaxError(ValidationError):
    """The text of a query cannot be read, or names what its flow does not have; `position` says where in `text`."""

    def __init__(self, text: str, position: int, message: str) -> None:
        there = f", at {text[position : position + _SHOWN]!r}" if position < len(text) else ", at its end"
        super().__init__(f"character {position + 1} of the query{there}: {message}")
        self.text = text
        self.position = position


class PayloadTooLarge(ValidationError):
    """A job or a result is over the limit of bytes, or names too many children."""


class MalformedJob(FlowsError):
    """A job's hash does not hold what its class declares."""


class FieldMissing(MalformedJob):
    """A job lacks a field that the class needs by which it is read."""


class JobNotDone(FlowsError):
    """The job has not ended, and has not got yet what was asked for."""

    def __init__(self, job_id: str, state: str, wanted: str) -> None:
        super().__init__(f"job {job_id} is not done, but {state}: it does not have {wanted} yet")
        self.job_id = job_id


class StateError(FlowsError):
    """The job's state does not allow what was asked."""

    def __init__(self, job_id: str, state: str, wanted: str, what: str = "job") -> None:
        super().__init__(f"{what} {job_id} is {state}: it cannot be {wanted}")
        self.job_id = job_id
        self.state = state
        self.wanted = wanted


class JobExists(FlowsError):
    """Another job, `job_id`, has the key that was given; nothing was created."""

    def __init__(self, job_id: str, why: str, what: str = "job") -> None:
        super().__init__(f"{what} {job_id} {why}; nothing was {'started' if what == 'run' else 'created'}")
        self.job_id = job_id

    @property
    def run_id(self) -> str:
        """The same id: a run is a job."""
        return self.job_id


class IdempotencyConflict(JobExists):
    """The job or run of this idempotency key was created with other params, or other input."""

    def __init__(self, job_id: str, key: str, what: str = "job") -> None:
        done, given = ("started", "input") if what == "run" else ("created", "params")
        why = f"was {done} with idempotency_key={key!r} and other {given}: give what is another {what} another key"
        super().__init__(job_id, why, what)


class DuplicateJob(JobExists):
    """The job of this unique key still keeps others out."""

    def __init__(self, job_id: str, key: str) -> None:
        super().__init__(job_id, f"has the unique key {key!r}, which still holds")


class WrongLoop(FlowsError):
    """The flow is open in another event loop of this process, which still runs: it can be used in one at a time."""

    def __init__(self, flow: str, where: str) -> None:
        super().__init__(
            f"flow {flow!r} is in use by {where}, and by one event loop at a time: "
            "use flow.sync from plain functions and other threads, such as flow.sync.create_job(...)"
        )
        self.flow = flow


class HostUnable(FlowsError):
    """This machine has no thread, process, descriptor or memory left for what was asked; nothing of it has begun."""


class PortInUse(FlowsError, OSError):
    """Something else listens on the port on which something was to be served."""

    def __init__(self, host: str, port: int, advice: str) -> None:
        super().__init__(f"port {port} of {host} is in use: {advice}")
        self.port = port


class LostLease(FlowsError):
    """The attempt has lost its lease, or has ended: what it still reports is refused."""

    def __init__(
        self, job_id: str, why: str = "has lost its lease, and another one has the job or will: end it"
    ) -> None:
        super().__init__(f"job {job_id}: this attempt {why}")
        self.job_id = job_id


class JobGone(FlowsError):
    """The job has expired, was deleted, or never was; `ended` says how it ended, or is None where that is not known."""

    def __init__(self, job_id: str, ended: str | None = None, what: str = "job") -> None:
        super().__init__(
            f"{what} {job_id} is gone: it has expired, was deleted or never was"
            if ended is None
            else f"{what} {job_id} ended as {ended}, and its record is gone already: "
            f"set a retention that is longer than a wait for the {what} takes"
        )
        self.job_id = job_id
        self.ended = ended


class WaitTimeout(FlowsError, TimeoutError):
    """The job did not end in the time that was given."""


class MissingExtra(FlowsError, ImportError):
    """A package of an optional extra is not installed."""

    def __init__(self, what: str, extra: str, hint: str = "") -> None:
        super().__init__(f"{what} needs the extra `{extra}`: pip install 'typed-flows[{extra}]'{hint}")
        self.extra = extra


class Forbidden(FlowsError):
    """A caller may not do what it asked for: it lacks the role, or the flow or field is not for it."""

    def __init__(self, operation: str, role: str, why: str = "") -> None:
        super().__init__(f"{operation} is refused: {why or f'it takes the role {role!r}'}")
        self.operation = operation
        self.role = role


class TooManyRequests(FlowsError):
    """A caller asks more often than a server answers: try again after `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many requests: try again in {retry_after:g} s")
        self.retry_after = retry_after


class NothingThere(FlowsError):
    """There is no flow, queue or process of the name that was given."""


class QueryChanged(FlowsError):
    """A query matches many more or fewer jobs now than were seen, `count`; nothing was done."""

    def __init__(self, count: int, seen: int) -> None:
        super().__init__(f"the query matches {count:,} jobs now, and you saw {seen:,}: look at them again")
        self.count = count


class StoreError(FlowsError):
    """Redis could not do what was asked."""


class StoreUnavailable(StoreError):
    """There is no server, it refuses the credentials, or it did not answer in time."""


class StoreFull(StoreError):
    """The server is out of memory: it takes no new jobs until some have ended."""


class UnsafeServer(StoreError):
    """The server is set up so that it would lose jobs."""


class KeyConflict(StoreError):
    """One of our keys holds something that is not ours."""
