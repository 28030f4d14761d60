"""Lookup values: which texts a value of an attribute is found by, and which types have any."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, cast, get_args, get_origin
from uuid import UUID

from pydantic import AnyUrl, BaseModel, PostgresDsn, SecretBytes, SecretStr, TypeAdapter
from pydantic_core import MultiHostUrl, Url, from_json, to_json
from typing_extensions import is_typeddict

from flows.model.annotations.members import members
from flows.model.values.plain import LEAST, MOST

#: What jobs are found by: the values of lookup attributes, or their texts (an `int` is a `float` here).
LookupValue: TypeAlias = str | float | UUID | Enum | date | Decimal | AnyUrl | Url | MultiHostUrl

#: Texts over this many bytes stand as their digest.
MAX_TEXT_BYTES: Final = 200

#: What may not stand in a key as it is: control characters, and lone surrogates, which UTF-8 cannot hold.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


#: Types whose values are listed by the text that JSON gives them.
_BY_JSON: Final = (UUID, date, Decimal, AnyUrl, Url, MultiHostUrl, PostgresDsn.__mro__[1])
_LISTED: Final = (str, int, float, *_BY_JSON)
#: And of which each element is listed.
_MANY: Final = (list, tuple, set, frozenset)
#: What pydantic calls them, for types of its own that are no classes of values, such as `AwareDatetime`.
_SCHEMAS: Final = frozenset(
    {"str", "int", "float", "decimal", "date", "datetime", "uuid", "enum", "url", "multi-host-url", "any"}
)


def lookup_texts(value: object) -> list[str]:
    """Return the distinct texts under which a job with this value is listed, in order.

    A list, tuple or set gives one for each distinct element that has one, any other value its own; `bool`, `None`, a
    dict or a model give none.
    """
    if isinstance(value, _MANY):
        elements = cast("Iterable[object]", value)
        return list(dict.fromkeys(text for text in map(lookup_text, elements) if text is not None))
    text = lookup_text(value)
    return [] if text is None else [text]


def lookup_text(value: object) -> str | None:  # noqa: PLR0911 - one per type
    """Return the one text of a scalar (62, 62.0 and "62" have the same); None for another type, or too long an int."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _as_key_part(str.__str__(value))
    if isinstance(value, int):
        return _as_key_part(int.__repr__(value)) if LEAST < value < MOST else None
    if isinstance(value, float):
        text = int.__repr__(int(value)) if value.is_integer() else float.__repr__(value)
        return _as_key_part(text)
    if isinstance(value, Enum):
        return lookup_text(value.value)
    if isinstance(value, _BY_JSON):
        return _as_key_part(str(from_json(to_json(value))))
    return None


def is_listable(declared: Any) -> bool:
    """Return whether a field of this type can have a value that is listed."""
    return any(_is_listable(kind, many=True) for kind in members(declared))


def _is_listable(kind: Any, *, many: bool) -> bool:  # noqa: PLR0911 - one per kind of type
    arguments = get_args(kind)
    origin = get_origin(kind) or kind
    if origin is Literal:
        return any(lookup_text(value) is not None for value in arguments)
    if origin in {Any, object}:
        return True
    if is_typeddict(origin):
        return False
    if not isinstance(origin, type):
        return origin is not None  # what only pydantic knows
    if issubclass(origin, Enum):
        return any(lookup_text(member) is not None for member in origin)
    if issubclass(origin, _LISTED):
        return origin is not bool
    if any(issubclass(one, origin) for one in _MANY):
        elements = [kind for of in arguments if of is not ... for kind in members(of)]
        return many and (not elements or any(_is_listable(kind, many=False) for kind in elements))
    return _has_listable_schema(cast("Any", origin))


def _has_listable_schema(kind: Any) -> bool:
    """Return whether a type that tells pydantic what its values are tells it that they are of a listed type."""
    known = hasattr(kind, "__get_pydantic_core_schema__") and not issubclass(kind, (BaseModel, SecretStr, SecretBytes))
    try:
        schema: Any = TypeAdapter(kind).core_schema if known else {}
    except Exception:  # noqa: BLE001 - the type is the user's
        return True
    while schema and schema.get("type") not in _SCHEMAS:
        schema = schema.get("schema")  # of a validator around it
    return bool(schema)


def _as_key_part(text: str) -> str:
    """Return a plain text as it is, and any other as `#sha256:<hex>`."""
    data = text.encode("utf-8", "surrogatepass")
    if text and len(data) <= MAX_TEXT_BYTES and text[0] != "#" and not _UNFIT.search(text):
        return text
    return f"#sha256:{hashlib.sha256(data).hexdigest()}"
