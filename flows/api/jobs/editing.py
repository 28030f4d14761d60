"""What may be edited of a job that is moved: what its workers have left, and its params where that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from flows.api.jobs.checking import check_value
from flows.api.jobs.creating import encoded_params
from flows.api.reading.hiding import Hiding
from flows.errors import Forbidden, JobGone, PayloadTooLarge, ValidationError
from flows.model.codec import encode_value
from flows.model.job import RESERVED_FIELDS
from flows.model.names import FIELD
from flows.model.values.lookup import lookup_texts
from flows.store.fleet.declarations import read_declared_results
from flows.store.jobs.control import Edits
from flows.store.jobs.creation import MOST_LOOKUPS
from flows.store.jobs.fetch import Fetch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from flows.api.admin import Admin
    from flows.api.known_flow import KnownFlow
    from flows.model.declared.schemas import Schema

_PLAIN: Final = "fields: give each field that is to be edited with its new value"


async def edits_of(
    admin: Admin, known: KnownFlow, job_id: str, fields: Mapping[str, Any], to: str, *, params: bool
) -> Edits:
    """Return the edits of a job, checked as far as this is possible without the flow's code.

    Args:
        admin: Who asks.
        known: The job's flow.
        job_id: Its id.
        fields: The new values, as JSON.
        to: The queue to which it is moved: a field that this declares is checked by its schema.
        params: Whether params may be edited too.

    Raises:
        ValidationError: a field is none of the job's, or its value is refused.
        PayloadTooLarge: the fields take more than the flow allows.
        Forbidden: a field is hidden from the caller.
        JobGone: there is no such job.
    """
    if not fields or not known.declared:
        raise ValidationError(_PLAIN if known.declared else f"flow {known.name!r} has left no declaration to check by")
    hiding = Hiding(admin.caller, known.name)
    for name in fields:
        if not hiding.allows(name):
            raise Forbidden("jobs.move", admin.caller.role, f"{name!r} is hidden from {admin.caller.name!r}")
        if name in RESERVED_FIELDS or not FIELD.fullmatch(name):
            raise ValidationError(f"fields.{name:.80}: it is no name of a field of yours")
    [stored] = await Fetch(admin.connection, known.settings).hashes([(known.name, job_id)])
    if stored is None:
        raise JobGone(job_id)
    declared = known.declared[0].params.schema
    of_params = frozenset(_properties(declared) if declared else known.lookups)
    edited = {name: value for name, value in fields.items() if name in of_params}
    if edited and not params:
        raise ValidationError(f"fields.{min(edited)}: it is a param, which no worker changes: say edit_params to do so")
    left = {name: value for name, value in fields.items() if name not in edited}
    await _check_left(admin, known, left, stored, to)
    values = {name: encode_value(f"fields.{name}", value) for name, value in left.items()}
    lookups: list[str] = []
    if edited:
        before = _read(stored, of_params - edited.keys())
        _how, encoded, looked_up = encoded_params(known, admin.params_of(known.name), {**before, **edited})
        values |= {name: encoded[name] for name in edited}
        lookups = [f"{name}:{text}" for name, value in looked_up if name in edited for text in lookup_texts(value)]
    size = sum(map(len, values.values()))
    if size > known.settings.max_payload or len(lookups) > MOST_LOOKUPS:
        raise PayloadTooLarge(
            f"the fields take {size:,} bytes and {len(lookups):,} lookups, over {known.settings.max_payload:,} or "
            f"{MOST_LOOKUPS}"
        )
    return Edits(values, [name for name in known.lookups if name in edited], lookups)


def _read(stored: Mapping[str, bytes], names: AbstractSet[str]) -> dict[str, Any]:
    """Return what a job has in some fields; one that cannot be read can be edited, and so repaired."""
    found: dict[str, Any] = {}
    for name in names & stored.keys():
        try:
            found[name] = from_json(stored[name])
        except ValueError:
            raise ValidationError(f"fields: the param {name!r} of the job is no JSON: give it a value too") from None
    return found


async def _check_left(
    admin: Admin, known: KnownFlow, left: Mapping[str, Any], stored: Mapping[str, bytes], to: str
) -> None:
    """Refuse what neither the job has, nor any worker leaves, nor the queue asks for; and what does not fit there."""
    job = known.by_queue[to].job.schema if to in known.by_queue else None
    wanted = _properties(job)
    results = await read_declared_results(admin.connection, known.settings, known.name)
    told = {name for classes in results.values() for one in classes for name in _properties(one.schema)}
    for name, value in left.items():
        if name not in stored and name not in told and name not in wanted:
            there = ", ".join(sorted({*told, *wanted} - RESERVED_FIELDS)) or "none that is known"
            raise ValidationError(f"fields.{name}: neither the job nor a worker has such a field: there is {there}")
        if job is not None and name in wanted:
            check_value(job, f"fields.{name}", name, value)


def _properties(schema: Schema | None) -> Mapping[str, Any]:
    found: Any = {} if schema is None else schema.get("properties", {})
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]
