"""A job's record as plain JSON, for web servers and whatever else takes no objects."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema, from_json

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
#: What a record is as JSON, in the words of JSON Schema.
_SCHEMA: JsonSchemaValue = {
    "title": "JobRecord",
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "flow_name": _TEXT,
        "status": _TEXT,
        "queue": _TEXT,
        "created_at": {"type": "string", "format": "date-time"},
        "attempts": {"type": "integer"},
        "priority": {"type": "integer"},
        "cost": {"type": "integer"},
        "worker": _TEXT,
        "error": {"anyOf": [_OBJECT, {"type": "null"}]},
        "progress": {"anyOf": [_OBJECT, {"type": "null"}]},
        "history": {"type": "array", "items": _OBJECT},
        "children": {"type": "array", "items": {"anyOf": [_TEXT, _OBJECT]}},
        "params": _OBJECT,
        "results": _OBJECT,
    },
}


def record_schema(kind: type[Any]) -> CoreSchema:
    """Return the schema by which pydantic writes records, which are instances of `kind`."""
    written = core_schema.plain_serializer_function_ser_schema(lambda record: record.to_dict())
    schema = core_schema.is_instance_schema(kind, serialization=written)
    schema["metadata"] = {"pydantic_js_functions": [_json_schema]}
    return schema


def _json_schema(_schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    return _SCHEMA


def plain_record(record: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return a record as plain JSON."""
    error, progress = record.error, record.progress
    return {
        "id": record.id,
        "flow_name": record.flow_name,
        "status": str(record.status),
        "queue": record.queue,
        "created_at": record.created_at.isoformat(),
        "attempts": record.attempts,
        "priority": record.priority,
        "cost": record.cost,
        "worker": record.worker,
        "error": None if error is None else error.model_dump(exclude={"traceback"}),
        "progress": None if progress is None else {"value": progress[0], "message": progress[1]},
        "history": [{**asdict(past), "ended_at": past.ended_at.isoformat()} for past in record.history],
        "children": [child if isinstance(child, str) else child.to_dict() for child in record.children],
        "params": params,
        "results": record.results,
    }


def user_names(fields: Iterable[str]) -> list[str]:
    """Return which fields of a hash are the users', those of params and of results, sorted: a hash has no order."""
    return sorted(name for name in fields if not name.startswith(("_", "children:")))


def plain_fields(
    fields: Mapping[str, bytes], *, only: Container[str] | None = None, without: Container[str] = ()
) -> dict[str, Any]:
    """Return users' fields of a hash as plain JSON; what was edited into nonsense is a text."""
    names = [name for name in user_names(fields) if name not in without and (only is None or name in only)]
    return {name: _plain(fields[name]) for name in names}


def _plain(raw: bytes) -> Any:
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError:
        return raw.decode("utf-8", "replace")
