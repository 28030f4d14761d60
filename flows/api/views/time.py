"""How long something takes, as it is given to operations: `90`, `1.5`, `30s`, `5m`, `2h`, `1d`, or a timedelta."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TIME: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)?", re.ASCII)


def _read(value: Any) -> Any:
    """Return a text of ours as a timedelta; all else as it is, which pydantic judges."""
    if isinstance(value, str) and (found := _TIME.fullmatch(value.strip())):
        return timedelta(seconds=float(found[1]) * _UNITS[found[2] or "s"])
    return value


#: A duration: seconds as a number, or a text with a unit.
Time: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(timedelta.total_seconds, return_type=float),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "string"}], "description": "seconds, or 30s, 5m, 2h, 1d, 1w"}
    ),
]
