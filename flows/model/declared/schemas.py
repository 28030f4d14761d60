"""JSON schemas of the classes of a flow: what fills a form, and what tells one release from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from flows.model.job import Job, JobResult, user_fields

if TYPE_CHECKING:
    from pydantic import BaseModel

#: A JSON schema, as pydantic makes it.
Schema: TypeAlias = "dict[str, Any]"

#: Parts of a schema that say what a form shows, and nothing about which values fit.
_SHOWN: Final = frozenset({"title", "description", "default", "examples", "deprecated"})
#: Members of a schema whose keys are names of the user's, and no words of JSON Schema.
_NAMED: Final = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})


def schema_of(model: type[BaseModel]) -> Schema | None:
    """Return the JSON schema of what users declare in a class; None where pydantic can make none."""
    try:
        schema = model.model_json_schema(by_alias=False)
    except Exception:  # noqa: BLE001 - types of users have hooks of their own
        return None
    if issubclass(model, (Job, JobResult)):
        own = user_fields(model)
        properties: dict[str, Any] = schema.get("properties", {})
        schema["properties"] = {name: part for name, part in properties.items() if name in own}
        schema["required"] = [name for name in schema.get("required", ()) if name in own]
        _drop_unused(schema)
    return schema


def shape_of(model: type[BaseModel], schema: Schema | None) -> object:
    """Return what tells the shape of a class from that of another release: the schema without what only forms show.

    Defaults are left out: those of a set come in another order in each process.
    """
    if schema is not None:
        return _bare(schema)
    return {name: model.model_fields[name].is_required() for name in user_fields(model)}


def _drop_unused(schema: Schema) -> None:
    """Drop the definitions that only the fields of the kernel have used."""
    definitions: dict[str, Any] = schema.pop("$defs", {})
    needed: dict[str, Any] = {}
    waiting = _referred({name: part for name, part in schema.items() if name != "$defs"})
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in needed:
            needed[name] = definitions[name]
            waiting |= _referred(definitions[name])
    if needed:
        schema["$defs"] = needed


def _referred(part: object) -> set[str]:
    if isinstance(part, dict):
        members = cast("dict[str, object]", part)
        found = {str(members["$ref"]).rpartition("/")[2]} if "$ref" in members else set[str]()
        return found.union(*map(_referred, members.values()))
    if isinstance(part, list):
        return set[str]().union(*map(_referred, cast("list[object]", part)))
    return set()


def _bare(part: object, *, names: bool = False) -> object:
    """Return a part of a schema without what only forms show; `names` says that its keys are names of the user's."""
    if isinstance(part, dict):
        members = cast("dict[str, object]", part)
        return {
            name: _bare(value, names=not names and name in _NAMED)
            for name, value in members.items()
            if names or name not in _SHOWN
        }
    if isinstance(part, list):
        return [_bare(one) for one in cast("list[object]", part)]
    return part
