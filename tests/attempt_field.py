"""The parts of a hash's field `_attempt` by name, so that tests can say which one they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The parts, and what stands for those that a test does not name.
PARTS: Final = {
    "_fence": "0",
    "_worker": "-",
    "_attempts": "0",
    "_visit": "0",
    "_rescues": "0",
    "_since": "0",
    "_path": "-",
}
#: Those that a job which was claimed always shows.
_SHOWN: Final = frozenset({"_fence", "_attempts"})
#: Those that depend on the time: tests of them read the field itself.
_HIDDEN: Final = frozenset({"_since", "_path"})


def stored(fields: Mapping[str, object]) -> dict[str, str]:
    """Return a hash as it is stored, from one in which the parts have names of their own."""
    parts = {name: str(fields.get(name, usual)) for name, usual in PARTS.items()}
    kept = {name: str(value) for name, value in fields.items() if name not in PARTS}
    if kept.keys() != fields.keys():
        kept["_attempt"] = " ".join(parts.values())
    return kept


def shown(fields: Mapping[str, str]) -> dict[str, str]:
    """Return a stored hash with the parts by name, but those that say nothing; a field of nonsense stays as it is."""
    named = {name: value for name, value in fields.items() if name != "_attempt"}
    values = fields.get("_attempt", "").split(" ")
    if len(values) == len(PARTS):
        found = zip(PARTS.items(), values, strict=True)
        named |= {
            name: value for (name, usual), value in found if (value != usual or name in _SHOWN) and name not in _HIDDEN
        }
    elif "_attempt" in fields:
        named["_attempt"] = fields["_attempt"]
    return named
