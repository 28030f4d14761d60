"""The fields of an instance in Redis, to and from what users of a storage see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob
from flows.model.tree.paths import ROOT
from flows.model.tree.task_record import InstanceRecord, read_instance_record, read_task_records
from flows.store.trees.tree_outbox import ROW_FIELDS
from flows.tree.storage.protocol import Changes, Execution, InstanceRow, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.scripts import Argument

_IDLE: Final = InstanceRecord("idle")
#: How a record begins that the storage has numbered.
_ORDER: Final = re.compile(rb'\{"status":"\w+","order":(\d+)')


def row_fields(row: InstanceRow) -> dict[str, Argument]:
    """Return what a row says of a new instance."""
    return {
        "generator": row.generator,
        "realm": row.realm,
        "name": row.name,
        "labels": to_json(dict(row.labels)),
        "ephemeral": int(row.ephemeral),
    }


def row_of(instance_id: str, values: Sequence[bytes | None]) -> tuple[InstanceRow, int] | None:
    """Return the row of an instance from ROW_FIELDS, and the revision of its last change; None: there is none.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    fields = {name.encode(): value for name, value in zip(ROW_FIELDS, values, strict=True) if value is not None}
    if b"_order" not in fields:
        return None
    try:
        return _row(instance_id, fields, _record(fields)), int(fields[b"shown"])
    except (KeyError, ValueError) as error:
        raise MalformedJob(f"instance {instance_id} cannot be read: {error}") from error


def read_snapshot(
    instance_id: str, fields: Mapping[bytes, bytes], tasks: Mapping[bytes, bytes], since: int
) -> Snapshot:
    """Return an instance from the fields of its hashes, with the records of its tasks that are later than a revision.

    Raises:
        MalformedJob: it is none that flows has written.
    """
    try:
        record = _record(fields)
        later = {path.decode(): text for path, text in tasks.items() if since == 0 or _order(text) > since}
        return Snapshot(
            _row(instance_id, fields, record),
            fields[b"data"],
            fields[b"tree"],
            int(fields[b"changed"]),
            record,
            _execution(fields),
            read_task_records(later),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise MalformedJob(f"instance {instance_id} cannot be read: {error!r}") from error


def read_changes(message: str) -> Changes:
    """Return what a message of `tell_tree.lua` says was written.

    Raises:
        MalformedJob: it is none that flows has sent.
    """
    first, *lines = message.split("\n")
    try:
        texts = dict(line.split("\t", 1) for line in lines)
        record = texts.pop(ROOT, None)
        records = read_task_records({path: text.encode() for path, text in texts.items()})
        return Changes(int(first), records, None if record is None else read_instance_record(record.encode()))
    except ValueError as error:
        raise MalformedJob(f"a message cannot be read: {error}") from error


def _row(instance_id: str, fields: Mapping[bytes, bytes], record: InstanceRecord) -> InstanceRow:
    return InstanceRow(
        instance_id,
        fields[b"app"].decode(),
        fields[b"generator"].decode(),
        realm=fields[b"realm"].decode(),
        name=fields[b"name"].decode(),
        labels=from_json(fields[b"labels"]),
        ephemeral=fields[b"ephemeral"] == b"1",
        status=record.status,
        progress=record.progress,
        created=int(fields[b"created"]),
        updated=int(fields[b"updated"]),
        revision=int(fields[b"_order"]),
    )


def _record(fields: Mapping[bytes, bytes]) -> InstanceRecord:
    text = fields.get(b"record")
    return _IDLE if text is None else read_instance_record(text)


def _execution(fields: Mapping[bytes, bytes]) -> Execution | None:
    run = fields.get(b"_run")
    if run is None:
        return None
    targets: list[str] = from_json(fields[b"_targets"])
    return Execution(run.decode(), fields[b"_path"].decode(), tuple(targets), fields[b"_argument"] or None)


def _order(text: bytes) -> int:
    found = _ORDER.match(text)
    return 0 if found is None else int(found[1])
