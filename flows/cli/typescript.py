"""`flows types --ts`: TypeScript types of what the operations take and answer, from the models."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from cyclopts import Parameter
from pydantic import TypeAdapter

from flows.api import operations

REFERENCE: Final = "#/components/schemas/{model}"
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PLAIN: Final = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}


def types(*, ts: Annotated[bool, Parameter(negative="", help="TypeScript: the only language so far.")] = True) -> int:
    """Print the types of what operations take and answer, for clients of the HTTP server."""
    del ts
    print(typescript(), end="")  # noqa: T201 - what the command is for
    return 0


def typescript() -> str:
    """Return a TypeScript module: an interface for each model, and `Operations`, which maps a name to both."""
    found = operations().values()
    schemas, definitions = TypeAdapter.json_schemas(
        [
            *((one.name, "validation", TypeAdapter(one.params)) for one in found),
            *((one.name, "serialization", one.adapter) for one in found),
        ],
        ref_template=REFERENCE,
    )
    lines = ["// Made by `flows types --ts`: what the operations of flows take and answer.", ""]
    for name, schema in sorted(definitions.get("$defs", {}).items()):
        lines += [*documented(schema, ""), f"export {declared(name, schema)}", ""]
    lines.append("export interface Operations {")
    for one in found:
        asked, answered = schemas[one.name, "validation"], schemas[one.name, "serialization"]
        lines += [
            f"  /** {one.summary} */",
            f"  {json.dumps(one.name)}: {{",
            f"    method: {json.dumps('POST' if one.acts else 'GET')};",
            f"    role: {json.dumps(one.role)};",
            f"    params: {type_of(asked, '    ')};",
            f"    answer: {type_of(answered, '    ')};",
            "  };",
        ]
    return "\n".join([*lines, "}", ""])


def declared(name: str, schema: Mapping[str, Any]) -> str:
    """Return the declaration of a model."""
    name = _name(name)
    if "properties" in schema:
        return f"interface {name} {type_of(schema, '')}"
    return f"type {name} = {type_of(schema, '')};"


def type_of(schema: Mapping[str, Any], indent: str) -> str:  # noqa: PLR0911 - a case each
    """Return the type that a schema describes; what is none of these is `unknown`."""
    match schema:
        case {"$ref": str(reference)}:
            return _name(reference.rpartition("/")[2])
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(map(json.dumps, values))
        case {"anyOf": some} | {"oneOf": some}:
            return " | ".join(dict.fromkeys(type_of(one, indent) for one in some))
        case {"type": "array", "items": items}:
            return f"Array<{type_of(items, indent)}>"
        case {"type": "object", "properties": properties}:
            return _object(properties, frozenset(schema.get("required", ())), indent)
        case {"type": "object"}:
            more: Any = schema.get("additionalProperties")
            return f"Record<string, {'unknown' if more in (None, True, False) else type_of(more, indent)}>"
        case {"type": str(kind)}:
            return _PLAIN.get(kind, "unknown")
        case _:
            return "unknown"


def _object(properties: Mapping[str, Any], required: frozenset[str], indent: str) -> str:
    inner = f"{indent}  "
    lines = ["{"]
    for name, schema in properties.items():
        lines += documented(schema, inner)
        key = name if _IDENTIFIER.fullmatch(name) else json.dumps(name)
        lines.append(f"{inner}{key}{'' if name in required else '?'}: {type_of(schema, inner)};")
    return "\n".join([*lines, f"{indent}}}"])


def documented(schema: Mapping[str, Any], indent: str) -> list[str]:
    """Return the comment that says what a schema says of itself."""
    said = " ".join(str(schema.get("description", "")).split()).replace("*/", "* /")
    return [f"{indent}/** {said} */"] if said else []


def _name(name: str) -> str:
    return re.sub(r"\W", "_", name)
