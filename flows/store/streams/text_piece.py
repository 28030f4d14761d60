"""One piece of the text that a job streams: gathered, packed for the script that writes it, and read again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic_core import from_json, to_json

from flows.errors import FlowsError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: So many bytes of a job's text are kept, as they are stored: what is older is dropped.
STREAM_BYTES: Final = 1 << 20
#: A piece has at most so many characters; what a function streams in one tick is one piece, or several of these.
LONGEST_PIECE: Final = 16_384
_NEVER: Final = datetime.fromtimestamp(0, UTC)
#: What a piece takes in the stream beside its text, about: as many pieces as may come are bounded too.
_AROUND: Final = 64


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some of the text that a job has streamed by `current_job().stream`.

    Attributes:
        text: The text.
        cursor: Where it ends: `stream(…, after=cursor)` goes on behind it, in whatever process.
        step: Of a run, the step that has streamed it; else empty.
        attempt: Which attempt of the job or run that was, from 1.
        begins: Whether it is the first piece of a try: what the step, or the job, has streamed before is over.
        gap: Whether text before it is missing: it was dropped, since more is not kept, or could not be written.
        at: When it was written, by the server's clock.
    """

    text: str
    cursor: str
    step: str = ""
    attempt: int = 0
    begins: bool = False
    gap: bool = False
    at: datetime = _NEVER

    def __str__(self) -> str:
        """Return the text."""
        return self.text


class Streamed(NamedTuple):
    """What a function streams in one call."""

    text: str
    step: str
    attempt: int
    begins: bool

    def check_step(self) -> None:
        """Check that a step of a run streams.

        Raises:
            FlowsError: the workflow's own function does.
        """
        if not self.step:
            raise FlowsError("stream text inside of a step: the workflow's own function runs again after each wait")


@dataclass(slots=True)
class _Piece:
    """What was streamed by one try in a row."""

    first: Streamed
    parts: list[str]
    characters: int
    size: int


@dataclass(slots=True)
class TextReport:
    """What one attempt has streamed since the last write; of more than is kept, the newest."""

    #: How many bytes were dropped before the pieces.
    skipped: int = 0
    size: int = 0
    _pieces: deque[_Piece] = field(default_factory=deque["_Piece"])

    def add(self, streamed: Streamed) -> None:
        """Add what a function streams."""
        text = streamed.text
        for start in range(0, len(text), LONGEST_PIECE):
            self._add(streamed if start == 0 else streamed._replace(begins=False), text[start : start + LONGEST_PIECE])

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return len(self._pieces)

    def packed(self) -> Iterator[bytes]:
        """Return the JSON object of each piece, without its time, which the script puts in."""
        for piece in self._pieces:
            first = piece.first
            told: dict[str, object] = {"attempt": first.attempt}
            if first.step:
                told["step"] = first.step
            if first.begins:
                told["begins"] = True
            yield to_json({**told, "text": "".join(piece.parts)})

    def _add(self, streamed: Streamed, text: str) -> None:
        size = len(text.encode())
        last = self._pieces[-1] if self._pieces else None
        if last is not None and not streamed.begins and last.characters + len(text) <= LONGEST_PIECE:
            first = last.first
            if (first.step, first.attempt) == (streamed.step, streamed.attempt):
                last.parts.append(text)
                last.characters += len(text)
                last.size += size
                self.size += size
                self._drop()
                return
        self._pieces.append(_Piece(streamed, [text], len(text), size + _AROUND))
        self.size += size + _AROUND
        self._drop()

    def _drop(self) -> None:
        while self.size > STREAM_BYTES:
            size = self._pieces.popleft().size
            self.size -= size
            self.skipped += size


def read_pieces(entries: list[tuple[bytes, list[bytes]]], after: int) -> tuple[list[TextPiece], int]:
    """Return the pieces of a stream's entries behind a position, and the position where they end."""
    pieces: list[TextPiece] = []
    for entry_id, fields in entries:
        begins_at, raw = int(entry_id.partition(b"-")[0]), fields[1] if len(fields) > 1 else b" "
        gap, after = begins_at > after + 1, begins_at - 1 + len(raw)
        pieces.append(_read(raw, str(after), gap=gap))
    return pieces, after


def check_cursor(after: object) -> int:
    """Return the position that a cursor says; None stands for the beginning.

    Raises:
        ValidationError: it is no cursor of a piece.
    """
    if after is None:
        return 0
    if not isinstance(after, str) or not after.isdecimal() or not after.isascii() or len(after) > _DIGITS:
        raise ValidationError(f"after={after!r}: give the cursor of a piece that was read, or None for the beginning")
    return int(after)


#: No stream comes to a position of more digits.
_DIGITS: Final = 15


def _read(raw: bytes, cursor: str, *, gap: bool) -> TextPiece:
    """Return a piece as it stands in the stream; one that somebody else has written there is all text."""
    try:
        found = from_json(raw)
        return TextPiece(
            text=str(found["text"]),
            cursor=cursor,
            step=str(found.get("step", "")),
            attempt=int(found.get("attempt", 0)),
            begins=bool(found.get("begins")),
            gap=gap,
            at=datetime.fromtimestamp(found["at"] / 1000, UTC),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return TextPiece(raw.decode("utf-8", "replace"), cursor, gap=gap)
