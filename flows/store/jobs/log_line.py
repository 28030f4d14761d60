"""One line of a job's log: packed for the script that writes it, and read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from pydantic_core import from_json, to_json

from flows.errors import ValidationError
from flows.model.codec import encode_value
from flows.model.texts import writable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

#: How serious a line is.
LogLevel: TypeAlias = Literal["trace", "debug", "info", "warning", "error"]

#: A line's text is cut after so many characters, and so many bytes of JSON are kept of what else it says.
LONGEST_TEXT: Final = 4096
LONGEST_STATUS: Final = 64
MOST_META: Final = 4096
#: What a line has of its own: nothing else that it says may be called so.
_OWN: Final = frozenset({"n", "at", "level", "status", "text", "meta", "attempt", "late", "cut"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a worker function has logged by `current_job().log`.

    Attributes:
        n: Its number in the log, from 1 on; where lines were dropped, their numbers are missing.
        at: When it was logged, by the server's clock.
        level: "trace", "debug", "info", "warning" or "error".
        text: What it says.
        meta: What else it says, by name.
        attempt: The attempt that logged it.
        late: Whether that attempt had ended before.
        cut: Whether a part of the text or the meta was too long and is missing.
        status: Of what a service's job tells, the word for how far it is, such as "started".
    """

    n: int
    at: datetime
    level: str
    text: str
    meta: dict[str, Any] = field(default_factory=dict[str, Any])
    attempt: int = 0
    late: bool = False
    cut: bool = False
    status: str = ""

    def __str__(self) -> str:
        """Return what the line says, on one line."""
        words = filter(None, (self.status, self.text))
        return " ".join([*words, *(f"{name}={value!r}" for name, value in self.meta.items())])


def pack_line(text: object, level: object, meta: Mapping[str, object], attempt: int) -> str:
    """Return the JSON object of a line, without its number and its time, which the script puts in.

    Raises:
        ValidationError: it is no text, no level, or says what is not JSON.
    """
    if not isinstance(text, str):
        raise ValidationError(f"log({text!r}): give a text; what else the line says goes into keywords")
    if own := meta.keys() & _OWN:
        raise ValidationError(f"log({', '.join(sorted(own))}=…): a line has that of its own; choose another name")
    return _packed({"text": text, "attempt": attempt}, level, meta)


def pack_update(status: object, level: object, meta: JsonValue, attempt: int) -> str:
    """Return the JSON object of a line that says by a word how far a job is, as `pack_line` does.

    Args:
        status: The word, of at most 64 characters.
        level: As that of any line.
        meta: What else it says: a text becomes that of the line, an object its meta, and another value is in the meta
            by the name `value`.
        attempt: The attempt that says so; 0: none does.

    Raises:
        ValidationError: the status is no word, there is no such level, or the meta is no JSON.
    """
    if not isinstance(status, str) or not status.strip() or len(status) > LONGEST_STATUS:
        raise ValidationError(f"status={status!r:.100}: give a text of 1 to {LONGEST_STATUS} characters")
    line = {"status": writable(status), "text": meta if isinstance(meta, str) else "", "attempt": attempt}
    named = {} if meta is None or isinstance(meta, str) else {"value": meta}
    return _packed(line, level, meta if isinstance(meta, dict) else named)


def _packed(line: dict[str, Any], level: object, meta: Mapping[str, object]) -> str:
    """Return the JSON of a line with as much of its text and meta as is kept."""
    if level not in get_args(LogLevel):
        raise ValidationError(f"level={level!r}: give one of {', '.join(get_args(LogLevel))}")
    text: str = line["text"]
    cut = len(text) > LONGEST_TEXT
    # Surrogates, as in the name of a file that could not be decoded, are no UTF-8.
    line["text"] = text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    if meta:
        line["meta"] = kept = _checked(meta)
        cut = cut or len(kept) < len(meta)
    if cut:
        line["cut"] = True
    return to_json({"level": level, **line}).decode()


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
            status=str(found.get("status", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return LogLine(0, datetime.fromtimestamp(0, UTC), "info", raw.decode("utf-8", "replace"))


def _checked(meta: Mapping[str, object]) -> dict[str, Any]:
    """Return as many of these as fit."""
    kept: dict[str, Any] = {}
    size = 0
    for name, value in meta.items():
        encoded = encode_value(name, value)
        if size + len(name) + len(encoded) <= MOST_META:
            size += len(name) + len(encoded)
            kept[name] = from_json(encoded)
    return kept
