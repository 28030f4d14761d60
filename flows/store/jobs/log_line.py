"""One line of a job's log: packed for the script that writes it, and read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from pydantic_core import from_json, to_json

from flows.errors import ValidationError
from flows.model.codec import encode_value

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How serious a line is.
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

#: A line's text is cut after so many characters, and so many bytes of JSON are kept of what else it says.
LONGEST_TEXT: Final = 4096
MOST_META: Final = 4096
#: What a line has of its own: nothing else that it says may be called so.
_OWN: Final = frozenset({"n", "at", "level", "status", "text", "meta", "attempt", "late", "cut"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a worker function has logged by `current_job().log`.

    Attributes:
        n: Its number in the log, from 1 on; where lines were dropped, their numbers are missing.
        at: When it was logged, by the server's clock.
        level: "debug", "info", "warning" or "error".
        text: What it says.
        meta: What else it says, by name.
        attempt: The attempt that logged it.
        late: Whether that attempt had ended before.
        cut: Whether a part of the text or the meta was too long and is missing.
    """

    n: int
    at: datetime
    level: str
    text: str
    meta: dict[str, Any] = field(default_factory=dict[str, Any])
    attempt: int = 0
    late: bool = False
    cut: bool = False

    def __str__(self) -> str:
        """Return what the line says, on one line."""
        return " ".join([self.text, *(f"{name}={value!r}" for name, value in self.meta.items())])


def pack_line(text: object, level: object, meta: Mapping[str, object], attempt: int) -> str:
    """Return the JSON object of a line, without its number and its time, which the script puts in.

    Raises:
        ValidationError: it is no text, no level, or says what is not JSON.
    """
    if not isinstance(text, str):
        raise ValidationError(f"log({text!r}): give a text; what else the line says goes into keywords")
    if level not in get_args(LogLevel):
        raise ValidationError(f"level={level!r}: give one of {', '.join(get_args(LogLevel))}")
    # Surrogates, as in the name of a file that could not be decoded, are no UTF-8.
    kept_text = text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    line: dict[str, Any] = {"level": level, "text": kept_text, "attempt": attempt}
    cut = len(text) > LONGEST_TEXT
    if meta:
        line["meta"] = kept = _checked(meta)
        cut = cut or len(kept) < len(meta)
    if cut:
        line["cut"] = True
    return to_json(line).decode()


def read_line(raw: bytes) -> LogLine:
    """Return a line as it stands in the log; one that somebody else has pushed there is all text."""
    try:
        found = from_json(raw)
        return LogLine(
            n=int(found["n"]),
            at=datetime.fromtimestamp(found["at"] / 1000, UTC),
            level=str(found["level"]),
            text=str(found.get("text", "")),
            meta=dict(found.get("meta", {})),
            attempt=int(found.get("attempt", 0)),
            late=bool(found.get("late")),
            cut=bool(found.get("cut")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return LogLine(0, datetime.fromtimestamp(0, UTC), "info", raw.decode("utf-8", "replace"))


def _checked(meta: Mapping[str, object]) -> dict[str, Any]:
    """Return as many of these as fit."""
    if reserved := meta.keys() & _OWN:
        raise ValidationError(f"log({', '.join(sorted(reserved))}=…): a line has that of its own; choose another name")
    kept: dict[str, Any] = {}
    size = 0
    for name, value in meta.items():
        encoded = encode_value(name, value)
        if size + len(name) + len(encoded) <= MOST_META:
            size += len(name) + len(encoded)
            kept[name] = from_json(encoded)
    return kept
