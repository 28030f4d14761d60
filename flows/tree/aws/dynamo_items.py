"""The items of an instance in DynamoDB: its head, which each write changes, and what is too large to stand there.

All items of an instance have its id as their partition, `pk`. By their place, `sk`, they are:

    instance                 the head: what lists show, the revision, who may write
    instance#data, #tree, #execution
    path#<path>              the record of a task
    result#<path>            its result
    log#<path>               how many lines its log has had
    log#<path>#<number>      lines, the last of which has this number

and of an app: `key#<app>#<key>`, which instance was created with a key.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob, PayloadTooLarge
from flows.model.tree.task_record import InstanceRecord, read_instance_record
from flows.tree.aws.dynamo_table import Key
from flows.tree.storage.protocol import Execution, InstanceRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.tree.aws.dynamo_values import Value

HEAD: Final = "instance"
DATA: Final = "instance#data"
TREE: Final = "instance#tree"
EXECUTION: Final = "instance#execution"
PATH: Final = "path#"
RESULT: Final = "result#"
LOG: Final = "log#"
KEY: Final = "key#"

#: An item may have 400 KB.
_PART: Final = 380_000
#: What is shorter is not worth compressing.
_SHORT: Final = 1000
#: All that one call writes may have 4 MB.
MOST_BYTES: Final = 3_500_000


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an instance.

    Attributes:
        row: What lists show of it, at its revision.
        shown: The revision of the last change that the row shows.
        changed: That of the last change of its data or tree.
        record: What its last execution has come to.
        execution: That execution.
        fence: The highest of those who have written.
        key: With which key it was created.
        expires: When it does, in milliseconds; 0: never.
        is_gone: Whether it was deleted, and the index may not know.
        is_swept: Whether there is nothing of paths that the tree has no more.
    """

    row: InstanceRow
    shown: int
    changed: int
    record: InstanceRecord
    execution: str
    fence: int
    key: str
    expires: int
    is_gone: bool
    is_swept: bool

    @property
    def revision(self) -> int:
        """The instance's revision."""
        return self.row.revision


def head_key(instance_id: str) -> Key:
    """Return where the head of an instance stands."""
    return Key(instance_id, HEAD)


def new_head(row: InstanceRow, key: str, now: int) -> dict[str, Value]:
    """Return the head of a new instance."""
    return {
        "app": row.app,
        "generator": row.generator,
        "realm": row.realm,
        "labels": to_json(dict(row.labels)).decode(),
        "name": row.name,
        "ephemeral": row.ephemeral,
        "created": now,
        "changed": 1,
        "fence": 0,
        "execution": "",
        "with_key": key,
        **recorded(InstanceRecord("idle")),
        **shown(row.app, 1, now),
    }


def shown(app: str, revision: int, now: int) -> dict[str, Value]:
    """Return the members of a change that a row shows: the index is to be told."""
    return {"revision": revision, "shown": revision, "updated": now, "due_app": app, "due": now}


def recorded(record: InstanceRecord) -> dict[str, Value]:
    """Return the members of what an execution has come to; the status stands apart, for conditions."""
    return {"status": record.status, "record": record.write().decode()}


def read_head(item: Mapping[str, Any]) -> Head:
    """Return the head of an instance from its item."""
    record = read_instance_record(item["record"].encode())
    row = InstanceRow(
        item["pk"],
        item["app"],
        item["generator"],
        realm=item["realm"],
        name=item["name"],
        labels=from_json(item["labels"]),
        ephemeral=item["ephemeral"],
        status=record.status,
        progress=record.progress,
        created=item["created"],
        updated=item["updated"],
        revision=item["revision"],
    )
    return Head(
        row,
        item["shown"],
        item["changed"],
        record,
        item["execution"],
        item["fence"],
        item["with_key"],
        item.get("expires", 0),
        "gone" in item,
        "unswept" not in item,
    )


def parts(key: Key, value: bytes, mark: int) -> dict[Key, dict[str, Value]]:
    """Return the items of a value, as many as it takes; all have the revision at which it was written."""
    short = zlib.compress(value, 1) if len(value) > _SHORT else value
    if len(short) > MOST_BYTES:
        raise PayloadTooLarge(
            f"{key.place} takes {len(short):,} bytes, over the {MOST_BYTES:,} that DynamoDB takes at once"
        )
    pieces = [short[at : at + _PART] for at in range(0, len(short), _PART)] or [b""]
    first: dict[str, Value] = {"value": pieces[0], "mark": mark, "parts": len(pieces), "zipped": short is not value}
    found = {key: first}
    for nth, piece in enumerate(pieces[1:], 1):
        found[part_key(key, nth)] = {"value": piece, "mark": mark}
    return found


def part_key(key: Key, nth: int) -> Key:
    """Return where a further part of a value stands."""
    return Key(key.partition, f"{key.place}#{nth}")


def further_keys(firsts: Mapping[Key, Mapping[str, Any]]) -> list[Key]:
    """Return where the further parts of values stand, by their first ones."""
    return [part_key(key, nth) for key, item in firsts.items() for nth in range(1, item["parts"])]


def value_of(key: Key, items: Mapping[Key, Mapping[str, Any]]) -> bytes | None:
    """Return a value from its items; None: some of them are of another one, which is being written."""
    first = items[key]
    found = [first, *(items.get(part_key(key, nth), {}) for nth in range(1, first["parts"]))]
    if any(one.get("mark") != first["mark"] for one in found):
        return None
    whole = b"".join(one["value"] for one in found)
    return zlib.decompress(whole) if first["zipped"] else whole


def path_of(place: str) -> str:
    """Return the path of the task of a record, a result or lines."""
    return "#" + place.split("#")[2]


def write_execution(execution: Execution) -> bytes:
    """Return the text of an execution."""
    argument = None if execution.argument is None else execution.argument.decode()
    return to_json({**execution._asdict(), "argument": argument})


def read_execution(raw: bytes) -> Execution:
    """Return an execution from its text."""
    try:
        found = from_json(raw)
        argument = found["argument"]
        targets = tuple(found["targets"])
        return Execution(found["id"], found["path"], targets, None if argument is None else argument.encode())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedJob(f"the execution of an instance cannot be read: {error}") from error
