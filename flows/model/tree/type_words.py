"""Says of which type a JSON schema is, as an annotation would: for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flows.model.declared.schemas import Schema

_PLAIN: Final[dict[object, str]] = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
#: Texts of these formats are named by them.
_FORMATS: Final[dict[object, str]] = {
    "date-time": "datetime",
    "date": "date",
    "time": "time",
    "duration": "timedelta",
    "uuid": "UUID",
}
#: A type within so many others is left out.
_DEEPEST: Final = 4


def type_in(schema: Schema | None) -> str:
    """Return the type that a schema describes: `dict[str, Page]`, `list[int] | None`; `Any` where it does not say."""
    return "Any" if schema is None else _name(schema, _DEEPEST)


def _name(schema: Any, depth: int) -> str:
    if not isinstance(schema, dict) or not depth:
        return "Any" if depth else "…"
    said: Schema = schema  # pyright: ignore[reportUnknownVariableType]
    if "$ref" in said:
        return str(said["$ref"]).rpartition("/")[2]
    if either := said.get("anyOf") or said.get("oneOf"):
        return " | ".join(dict.fromkeys(_name(one, depth) for one in either))
    if "enum" in said or "const" in said:
        return f"Literal[{', '.join(map(repr, said.get('enum') or [said['const']]))}]"
    return _container(said, depth - 1) or _FORMATS.get(said.get("format")) or _PLAIN.get(said.get("type"), "Any")


def _container(said: Schema, depth: int) -> str:
    """Return the type of an array or an object; empty: it is neither."""
    if said.get("type") == "array":
        if "prefixItems" in said:
            return f"tuple[{', '.join(_name(one, depth) for one in said['prefixItems'])}]"
        return f"{'set' if said.get('uniqueItems') else 'list'}[{_name(said.get('items'), depth)}]"
    if said.get("type") != "object":
        return ""
    if "properties" in said:
        return str(said.get("title", "dict"))
    return f"dict[str, {_name(said.get('additionalProperties'), depth)}]"
