"""The members of DynamoDB's items with their types, and the expressions that name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What a member may be.
Value: TypeAlias = "str | int | float | bytes | bool"

_NAME: Final = re.compile(r"#(\w+)")


def packed(members: Mapping[str, Value]) -> dict[str, Any]:
    """Return members with their types, as DynamoDB takes them."""
    return {name: _packed(value) for name, value in members.items()}


def unpacked(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an item without their types."""
    found: dict[str, Any] = {}
    for name, typed in item.items():
        [(kind, value)] = typed.items()
        found[name] = _number(value) if kind == "N" else value
    return found


def conditioned(where: str, given: Mapping[str, Value], names: Iterable[str] = ()) -> dict[str, Any]:
    """Return the members of an operation for its condition, and for what its other expressions name.

    Args:
        where: The condition, in which `#name` is a member and `:name` one of `given`; empty: none.
        given: The values.
        names: The members that other expressions name.
    """
    named = dict.fromkeys((*names, *_NAME.findall(where)))
    told = {
        "ConditionExpression": where,
        "ExpressionAttributeNames": {f"#{name}": name for name in named},
        "ExpressionAttributeValues": {f":{name}": _packed(value) for name, value in given.items()},
    }
    return {name: value for name, value in told.items() if value}


def _packed(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case bytes():
            return {"B": value}
        case _:
            return {"S": value}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
