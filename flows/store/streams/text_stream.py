"""Writes and reads the text that jobs stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from flows.store.streams.text_piece import STREAM_BYTES, TextPiece, read_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import StreamAnswer
    from flows.store.jobs.flow_settings import FlowSettings
    from flows.store.streams.text_piece import TextReport

#: So many bytes of pieces, or so many pieces, go with one call.
_CALL_BYTES: Final = 1 << 18
_CALL_PIECES: Final = 500
#: So many pieces are read at once.
PAGE: Final = 500


async def write_texts(
    connection: Connection,
    settings: FlowSettings,
    queue: str,
    worker_id: str,
    texts: Mapping[tuple[str, int], TextReport],
) -> list[StreamAnswer]:
    """Write what attempts have streamed, by their (id, fence), and return what became of each.

    Raises:
        StoreError: the server cannot be used, or is full; some of it may be written.
    """
    words: dict[tuple[str, int], StreamAnswer] = {}
    named: dict[str, Argument] = {
        **settings.named(settings.flow_of(queue)),
        "worker_id": worker_id,
        "most_bytes": STREAM_BYTES,
    }
    for call in _calls(texts):
        rest: list[Argument] = []
        for (job_id, fence), skipped, pieces in call:
            rest += (job_id, fence, skipped, len(pieces), *pieces)
        named["call"] = settings.new_call()
        answered = await connection.run(settings.script("stream"), named, rest)
        for (attempt, *_rest), word in zip(call, answered, strict=True):
            words[attempt] = cast("StreamAnswer", word.decode())
    return [words[attempt] for attempt in texts]


async def read_text(
    connection: Connection, settings: FlowSettings, flow: str, job_id: str, after: int
) -> tuple[list[TextPiece], int]:
    """Return up to PAGE pieces behind a position, and the position where they end.

    Raises:
        KeyConflict: something else stands in the place of the stream.
        StoreError: the server cannot be used.
    """
    key = settings.keys.stream(flow, job_id)
    entries: Any = await connection.call("XRANGE", key, after + 1, "+", "COUNT", PAGE)
    return read_pieces(entries, after)


_Part = tuple[tuple[str, int], int, list[bytes]]


def _calls(texts: Mapping[tuple[str, int], TextReport]) -> Iterator[list[_Part]]:
    """Return what goes with each call: whose pieces, how many bytes were skipped before them, and the pieces."""
    call: list[_Part] = []
    size = count = 0
    for attempt, report in texts.items():
        part: _Part = (attempt, report.skipped, [])
        call.append(part)
        for piece in report.packed():
            if size + len(piece) > _CALL_BYTES or count >= _CALL_PIECES:
                yield call
                part = (attempt, 0, [])
                call = [part]
                size = count = 0
            part[2].append(piece)
            size += len(piece)
            count += 1
    if call:
        yield call
