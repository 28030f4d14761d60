"""Makes what is answered of jobs from their hashes, whatever those hold, without what is hidden from the caller."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import from_json

from flows.api.reading.hiding import HIDDEN, Hiding, Secrets
from flows.api.reading.shortening import LONGEST, told_of
from flows.api.views.jobs import AttemptView, ChildRow, ErrorView, FieldView, JobRow, JobView, Rollup, VisitView
from flows.kernel.callers.make_record import make_record
from flows.model.ids import created_at
from flows.model.live.job_progress import job_progress, stage_of
from flows.model.plain_record import plain_fields
from flows.model.state import JobState
from flows.store.jobs.fetch import KERNEL_FIELDS, Fetch, child_jobs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.api.admin import Admin
    from flows.api.known_flow import KnownFlow
    from flows.model.declared.declared_flow import DeclaredClass
    from flows.model.job import JobError
    from flows.model.record import JobRecord

_KEY: Final = "#key:"
#: Characters of an error's message in a row.
_BEGINNING: Final = 200
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


async def job_rows(admin: Admin, known: KnownFlow, jobs: Sequence[tuple[str, str]]) -> list[JobRow]:
    """Return rows of jobs, each given as its flow and its id, without those that are gone.

    Raises:
        StoreError: the server cannot be used.
    """
    return [row for row, _record in await _read_rows(admin, known, jobs)]


async def child_rows(admin: Admin, known: KnownFlow, jobs: Sequence[tuple[str, str]]) -> list[ChildRow]:
    """Return rows of the children of a job, with their ways, without those that are gone.

    Raises:
        StoreError: the server cannot be used.
    """
    found = await _read_rows(admin, known, jobs)
    return [ChildRow(**dict(row), path=visit_views(record)) for row, record in found]


async def _read_rows(
    admin: Admin, known: KnownFlow, jobs: Sequence[tuple[str, str]]
) -> list[tuple[JobRow, JobRecord[Any]]]:
    """Return rows, each with the record of which it was made.

    Of lookup attributes that hold more than a row shows, only the length is read: a page would take long else.
    """
    fetch = Fetch(admin.connection, known.settings)
    hidden = sorted({name for flow, _id in jobs for name in _hiding(admin, known, flow).names})
    fields = list(dict.fromkeys([*known.lookups, *hidden]))
    lengths = await fetch.lengths(jobs, fields)
    long = [frozenset(name for name, length in one.items() if length > LONGEST) for one in lengths]
    rows: dict[int, tuple[JobRow, JobRecord[Any]]] = {}
    for left_out in dict.fromkeys(long):  # mostly one, that is empty
        places = [at for at, one in enumerate(long) if one == left_out]
        read = [*KERNEL_FIELDS, *(name for name in fields if name not in left_out)]
        found = await fetch.placed_hashes([jobs[at] for at in places], read)
        for at, one in zip(places, found, strict=True):
            if one is not None:
                flow, job_id = jobs[at]
                marks = {name: told_of(lengths[at][name], "bytes") for name in left_out}
                record = _record(known, flow, job_id, one)
                rows[at] = _row(_hiding(admin, known, flow), known, record, one, marks), record
    return [rows[at] for at in sorted(rows)]


async def job_view(
    admin: Admin, known: KnownFlow, flow: str, job_id: str, results: Mapping[str, Sequence[DeclaredClass]]
) -> JobView | None:
    """Return all that is kept of a job; None where it is gone.

    Args:
        admin: Who asks.
        known: Its flow.
        flow: The flow of its hash: of a child, its queue.
        job_id: Its id.
        results: By queue, the classes that its functions say they return.

    Raises:
        StoreError: the server cannot be used.
    """
    [found] = await Fetch(admin.connection, known.settings).placed_hashes([(flow, job_id)])
    if found is None:
        return None
    left, pending = await admin.connection.together(
        [("PTTL", known.settings.keys.job(flow, job_id)), ("SCARD", known.settings.keys.pending(flow, job_id))]
    )
    hiding = _hiding(admin, known, flow)
    secrets = hiding.secrets(found)
    record = _record(known, flow, job_id, found)
    row = _row(hiding, known, record, found)
    children = [child for jobs in record.job_lists() for child in child_jobs(jobs, known.settings.keys.namespace)]
    expires = datetime.now(UTC) + timedelta(milliseconds=left) if isinstance(left, int) and left > 0 else None
    rollup = Rollup(total=len(children), pending=pending if isinstance(pending, int) else 0) if children else None
    return JobView(
        **dict(row),
        fields=_fields(hiding, known, results, record, found),
        path=visit_views(record),
        attempts=attempt_views(hiding, secrets, record),
        error=error_view(hiding, secrets, record.error),
        children=rollup,
        overall=_overall(known, row, rollup),
        parent=_text(found.get("_parent")),
        expires=expires,
        priority=record.priority,
        cost=record.cost,
        correlation_id=secrets.out_of(_json_text(found.get("_correlation_id"))),
        idempotency_key=secrets.out_of(_key_of(found)),
        reason=secrets.out_of(_text(found.get("_reason")) or _text(found.get("_cancel")) or ""),
    )


def _overall(known: KnownFlow, row: JobRow, children: Rollup | None) -> float:
    """Return how far a job is with its children, in all queues of its way."""
    following: dict[str, str | None] = {}
    for name, queue in known.by_queue.items():
        parent = name.rpartition(":")[0]
        following[name] = f"{parent}:{queue.next_queue}" if parent and queue.next_queue else queue.next_queue
    stage, stages = stage_of(row.queue, following)
    waits_for = children if row.state == JobState.CHILDREN else None
    settled = None if waits_for is None else 1 - waits_for.pending / waits_for.total
    return job_progress(row.state, row.progress, settled, stage=stage, stages=stages)


def _hiding(admin: Admin, known: KnownFlow, flow: str) -> Hiding:
    return Hiding(admin.caller, known.name, flow)


def _record(known: KnownFlow, flow: str, job_id: str, found: dict[str, bytes]) -> JobRecord[BaseModel]:
    return make_record(known.settings, flow, job_id, found, BaseModel)


def _row(
    hiding: Hiding,
    known: KnownFlow,
    record: JobRecord[Any],
    found: Mapping[str, bytes],
    long: Mapping[str, str] = _NOTHING,
) -> JobRow:
    """Return a row; `long` says of fields that were not read what stands for them."""
    secrets = hiding.secrets(found) if all(map(hiding.allows, long)) else Secrets(unknown=True)
    names = [name for name in known.lookups if hiding.allows(name)]
    value, message = record.progress or (None, "")
    return JobRow(
        id=record.id,
        flow=record.flow_name,
        queue=record.queue,
        state=record.status,
        lookups={name: secrets.out_of(hiding.pruned(one)) for name, one in plain_fields(found, only=names).items()}
        | {name: mark for name, mark in long.items() if name in names},
        created=created_at(record.id),
        since=record.since,
        attempt=record.attempts,
        error_type=None if record.error is None else record.error.type,
        error_message=""
        if hiding.names or not record.error
        else _message(hiding, secrets, record.error.message)[:_BEGINNING],
        progress=value,
        message=secrets.out_of(message),
        worker=record.worker,
        cut=bool(long),
    )


def _fields(
    hiding: Hiding,
    known: KnownFlow,
    results: Mapping[str, Sequence[DeclaredClass]],
    record: JobRecord[Any],
    found: Mapping[str, bytes],
) -> list[FieldView]:
    types, written = _declared(known, results, record)
    secrets = hiding.secrets(found)
    return [
        FieldView(
            name=name,
            value=secrets.out_of(hiding.pruned(value)) if hiding.allows(name) else None,
            hidden=not hiding.allows(name),
            type=types.get(name, ""),
            of=written.get(name, ""),
        )
        for name, value in plain_fields(found).items()
    ]


def _declared(
    known: KnownFlow, results: Mapping[str, Sequence[DeclaredClass]], record: JobRecord[Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the types of fields, and who has written them: params first, then each queue that the job has been in."""
    types: dict[str, str] = {}
    written: dict[str, str] = {}
    queue = known.by_queue.get(record.flow_name)
    params = [queue.job] if queue else [one.params for one in known.declared[:1]]
    passed = [visit.queue for visit in record.path]
    sources = [("params", params), *((name, results.get(name, ())) for name in dict.fromkeys([*passed, record.queue]))]
    for source, classes in sources:
        for declared in classes:
            properties: dict[str, Any] = (declared.schema or {}).get("properties", {})
            for name, part in properties.items():
                types.setdefault(name, _type(part))
                written.setdefault(name, source)
    return types, written


def _type(part: Any) -> str:
    """Return the type of a property in a few words: `string`, `array`, `integer or null`, the name of a definition."""
    if not isinstance(part, dict):
        return ""
    members: dict[str, Any] = part  # pyright: ignore[reportUnknownVariableType]
    if "$ref" in members:
        return str(members["$ref"]).rpartition("/")[2]
    if "anyOf" in members:
        return " or ".join(filter(None, map(_type, members["anyOf"])))
    if "const" in members or "enum" in members:
        return "enum"
    return str(members.get("format") or members.get("type") or "")


def visit_views(record: JobRecord[Any]) -> list[VisitView]:
    """Return the way of a job through its queues."""
    return [
        VisitView(
            queue=one.queue,
            waited=one.waited.total_seconds(),
            ran=_seconds(one.ran),
            children=_seconds(one.in_children),
        )
        for one in record.path
    ]


def attempt_views(hiding: Hiding, secrets: Secrets, record: JobRecord[Any]) -> list[AttemptView]:
    """Return what became of a job's attempts."""
    return [
        AttemptView(
            queue=past.queue,
            attempt=past.attempt,
            worker=past.worker,
            ended=past.ended_at,
            verb=past.verb,
            error_type=None if past.error is None else past.error[0],
            error_message=None if past.error is None else _message(hiding, secrets, past.error[1]),
            reason=secrets.out_of(past.reason),
        )
        for past in record.history
    ]


def error_view(hiding: Hiding, secrets: Secrets, error: JobError | None) -> ErrorView | None:
    """Return why a job has failed, or is tried again."""
    if error is None:
        return None
    return ErrorView(
        type=error.type,
        message=_message(hiding, secrets, error.message),
        traceback=_message(hiding, secrets, error.traceback),
        queue=error.queue,
        attempt=error.attempt,
    )


def _message(hiding: Hiding, secrets: Secrets, text: str) -> str:
    return HIDDEN if hiding.errors and text else secrets.out_of(text)


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")


def _json_text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else str(from_json(raw))
    except ValueError:
        return _text(raw)


def _key_of(found: Mapping[str, bytes]) -> str | None:
    lines = (_text(found.get("_lookups")) or "").split("\n")
    return next((line.removeprefix(_KEY) for line in lines if line.startswith(_KEY)), None)
