"""Whether what one task returns is what another one reads, by the JSON schemas that pydantic makes of both.

A schema says which values there may be. What is written fits where each of its values is one of the reader's type, as
far as types go: bounds and patterns are for the validation of the values themselves. What cannot be told fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

if TYPE_CHECKING:
    from flows.model.declared.schemas import Schema

_TYPES: Final[dict[object, str]] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
#: Pairs of schemas that were compared, by identity, each with the pair itself, whose identities hold so long, and with
#: the answer: True while it is looked for, since types may hold themselves.
_Seen: TypeAlias = "dict[tuple[int, int], tuple[Any, Any, bool]]"
#: What a schema says about types; one without these lets everything through.
_SAYING: Final = frozenset({"type", "enum", "const", "anyOf", "oneOf", "properties"})


def fits(written: Schema | None, read: Schema | None) -> bool:
    """Return whether each value of what is written can be read; None: nobody knows what that is."""
    return written is None or read is None or _Fit(written, read).fit(written, read)


class _Fit:
    def __init__(self, written: Schema, read: Schema) -> None:
        self._written: dict[str, Any] = written.get("$defs", {})
        self._read: dict[str, Any] = read.get("$defs", {})
        self._seen: _Seen = {}

    def fit(self, written: Any, read: Any) -> bool:
        written, read = _resolved(written, self._written), _resolved(read, self._read)
        if not _says(written) or not _says(read):
            return True
        pair = id(written), id(read)
        if pair not in self._seen:
            self._seen[pair] = written, read, True
            self._seen[pair] = written, read, self._compare(written, read)
        return self._seen[pair][2]

    def _compare(self, written: Schema, read: Schema) -> bool:
        if alternatives := _alternatives(written):
            return all(self.fit(one, read) for one in alternatives)
        if alternatives := _alternatives(read):
            return any(self.fit(written, one) for one in alternatives)
        return self._one(written, read)

    def _one(self, written: Schema, read: Schema) -> bool:
        given, wanted = written.get("type"), read.get("type")
        if "const" in read:
            return "const" in written and bool(written["const"] == read["const"])
        if "const" in written:
            value: object = written["const"]
            given = _TYPES.get(type(value))
        if given is None or wanted is None:
            return True
        if given != wanted:
            return bool(given == "integer" and wanted == "number")
        if given == "array":
            return self._arrays(written, read)
        if given == "object":
            return self._objects(written, read)
        return "const" in written or read.get("format") in {None, written.get("format")}

    def _arrays(self, written: Schema, read: Schema) -> bool:
        first, wanted = written.get("prefixItems"), read.get("prefixItems")
        if wanted is not None:
            return first is not None and len(first) == len(wanted) and all(map(self.fit, first, wanted))
        items = read.get("items", True)
        if first is not None:
            return all(self.fit(one, items) for one in first)
        return self.fit(written.get("items", True), items)

    def _objects(self, written: Schema, read: Schema) -> bool:
        has: dict[str, Any] = written.get("properties", {})
        wants: dict[str, Any] = read.get("properties", {})
        others: Any = written.get("additionalProperties", "properties" not in written)
        more: Any = read.get("additionalProperties", True)
        sure = set(written.get("required", ()))
        if others is not True and any(name not in sure for name in read.get("required", ())):
            return False
        if any(name in has and not self.fit(has[name], of) for name, of in wants.items()):
            return False
        left = [of for name, of in has.items() if name not in wants]
        if more is False:
            return not left
        return all(self.fit(one, more) for one in left) and (others is False or self.fit(others, more))


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    found: Any = schema
    while _is_object(found) and "$ref" in found:
        found = definitions.get(str(found["$ref"]).rpartition("/")[2], True)
    return found


def _is_object(schema: Any) -> bool:
    return isinstance(schema, dict)


def _says(schema: Any) -> bool:
    return _is_object(schema) and bool(_SAYING.intersection(cast("Schema", schema)))


def _alternatives(schema: Schema) -> list[Any]:
    if "enum" in schema:
        return [{"const": one} for one in schema["enum"]]
    found: Any = schema.get("anyOf") or schema.get("oneOf") or ()
    if not found and isinstance(schema.get("type"), list):
        return [{**schema, "type": one} for one in schema["type"]]
    return list(found)
