"""`ServiceRecord`: one job of a service, as it stood when it was fetched, with its payload and result typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic_core import from_json

from flows.errors import FieldMissing, JobNotDone, MalformedJob, ValidationError
from flows.model.state import TERMINAL
from flows.service.service_params import LINKS

if TYPE_CHECKING:
    from datetime import datetime

    from flows.model.history import PastAttempt
    from flows.model.job import JobError
    from flows.model.record import JobRecord
    from flows.model.runs.shape import Shape
    from flows.model.state import JobState
    from flows.service.service_params import ServiceParams

PayloadT_co = TypeVar("PayloadT_co", covariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)
ValueT = TypeVar("ValueT")


class ServiceRecord(Generic[PayloadT_co, ResultT_co]):
    """One job of a service, as it stood when it was fetched.

    Attributes:
        job: The job's record, as any flow's.
    """

    def __init__(self, job: JobRecord[ServiceParams], payload: Shape[PayloadT_co], result: Shape[ResultT_co]) -> None:
        self.job = job
        self._payload = payload
        self._result = result

    def __repr__(self) -> str:
        return f"<ServiceRecord {self.type} {self.id} {self.status}>"

    @property
    def id(self) -> str:
        """The job's id."""
        return self.job.id

    @property
    def type(self) -> str:
        """Of which type it is; empty where its hash does not say."""
        return self._text("type")

    @property
    def tenant(self) -> str:
        """Whose it is; empty: nobody's."""
        return self._text("tenant")

    @property
    def links(self) -> list[str]:
        """What it is linked to: since it was created, and by its function since it has ended."""
        given: Any = self._plain(LINKS)
        links = list[str](given) if isinstance(given, list) else []  # pyright: ignore[reportUnknownArgumentType]
        lines = (self.job.raw("_lookups") or b"").decode("utf-8", "replace").split("\n")
        filed = [line.removeprefix(f"{LINKS}:") for line in lines if line.startswith(f"{LINKS}:")]
        return [*dict.fromkeys([*links, *(link for link in filed if not link.startswith("#sha256:"))])]

    @property
    def status(self) -> JobState:
        """Its state."""
        return self.job.status

    @property
    def error(self) -> JobError | None:
        """Why it failed, or why the attempt before the present one did."""
        return self.job.error

    @property
    def attempts(self) -> int:
        """How many attempts were made."""
        return self.job.attempts

    @property
    def history(self) -> list[PastAttempt]:
        """What became of its attempts, oldest first, from the first one that did not simply succeed."""
        return self.job.history

    @property
    def progress(self) -> tuple[float, str] | None:
        """What its function reported last: from 0 to 1, and a message."""
        return self.job.progress

    @property
    def created_at(self) -> datetime:
        """When it was created, in UTC."""
        return self.job.created_at

    @property
    def payload(self) -> PayloadT_co:
        """What it was created with.

        Raises:
            MalformedJob: the hash does not hold it.
        """
        return _read(self.id, "payload", self.job.raw("payload") or b"null", self._payload)

    @property
    def result(self) -> ResultT_co:
        """What its function has returned.

        Raises:
            JobNotDone: it has not ended.
            FieldMissing: it has ended without a result.
            MalformedJob: the hash does not hold what the type returns.
        """
        raw = self.job.raw("result")
        if self.status == "done" and raw is not None:
            return _read(self.id, "result", raw, self._result)
        if self.status not in TERMINAL:
            raise JobNotDone(self.id, f"{self.status} in {self.job.queue!r}", "its result")
        why = "" if self.error is None else f" ({self.error.type}: {self.error.message})"
        raise FieldMissing(f"job {self.id} has no result: it is {self.status}{why}")

    def _text(self, name: str) -> str:
        found = self._plain(name)
        return found if isinstance(found, str) else ""

    def _plain(self, name: str) -> Any:
        try:
            return from_json(self.job.raw(name) or b"null")
        except ValueError:  # edited by hand
            return None


def _read(job_id: str, name: str, raw: bytes, shape: Shape[ValueT]) -> ValueT:
    try:
        return shape.decode(raw)
    except ValidationError as error:
        raise MalformedJob(f"job {job_id}: its {name} cannot be read: {error}") from error
