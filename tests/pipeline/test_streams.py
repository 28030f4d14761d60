"""Text that jobs stream: followed while it comes, read again from any point, bounded, and gone with the job."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from flows import FlowsError, JobGone, LostLease, Retry, TextPiece, ValidationError, current_job
from flows.errors import StoreFull
from flows.kernel import progress
from flows.kernel.streams import follow
from flows.model.ids import new_job_id
from flows.store.streams.text_piece import STREAM_BYTES
from flows.store.streams.text_stream import write_texts
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, order_flow, price, ship, within
from tests.waiting import blocking_until


async def read(pieces: AsyncIterator[TextPiece]) -> list[TextPiece]:
    """Return all pieces, up to the end of the job."""
    return await within(_read(pieces))


async def _read(pieces: AsyncIterator[TextPiece]) -> list[TextPiece]:
    return [piece async for piece in pieces]


def told(pieces: list[TextPiece]) -> list[tuple[str, int, bool, bool]]:
    """Return what pieces say."""
    return [(piece.text, piece.attempt, piece.begins, piece.gap) for piece in pieces]


@pytest.fixture
def talking(redis_url: str, namespace: str) -> Orders:
    """Return a flow with a worker of its last queue."""
    flow = order_flow(redis_url, namespace)
    flow.create_workers(Ship, ship)
    return flow


@pytest.fixture
def only_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who follows look by itself so seldom that a message that does not come fails the test."""
    monkeypatch.setattr(follow, "SHORTEST_PAUSE", 3600.0)
    monkeypatch.setattr(follow, "LONGEST_PAUSE", 3600.0)


@pytest.mark.usefixtures("only_messages")
async def test_text_is_followed_while_it_comes(talking: Orders) -> None:
    """A plain function streams from its thread, and goes on when the piece was read: it is told by messages alone.

    What was streamed in a row is one piece. Another reader goes on from a cursor, in a plain thread.
    """
    was_read = threading.Event()

    def speak(job: Price) -> Priced:
        for text in ("Hello", "", " "):
            current_job().stream(text)
        assert was_read.wait(LONG)
        current_job().stream("world")
        return Priced(price=job.user_id)

    talking.create_workers(Price, speak)
    async with talking:
        job_id = await talking.create_job(Order())
        pieces: list[TextPiece] = []

        async def listen() -> None:
            async for piece in talking.stream(job_id):
                pieces.append(piece)
                if "".join(map(str, pieces)) == "Hello ":
                    was_read.set()

        await within(listen())
        assert "".join(map(str, pieces)) == "Hello world"
        assert [piece.begins for piece in pieces] == [True] + [False] * (len(pieces) - 1)
        assert (await talking.wait_for(job_id, LONG)).status == "done"
        cursor = pieces[-2].cursor
        assert await asyncio.to_thread(_plainly, talking.sync.stream(job_id, cursor)) == ["world"]
        assert await read(talking.stream(job_id, pieces[-1].cursor)) == []


def _plainly(pieces: Iterator[TextPiece]) -> list[str]:
    return [piece.text for piece in pieces]


async def test_what_comes_in_one_tick_is_one_piece_and_a_retry_begins_anew(talking: Orders) -> None:
    """A thousand tokens cost one write; the second attempt's first piece says that what was before is over."""

    async def speak(job: Price) -> Priced:
        for _ in range(1000):
            current_job().stream("a")
        if current_job().attempt == 1:
            raise Retry("once more", after=timedelta(0))
        return Priced(price=job.user_id)

    talking.create_workers(Price, speak)
    async with talking:
        job_id = await talking.create_job(Order())
        assert told(await read(talking.stream(job_id))) == [
            ("a" * 1000, 1, True, False),
            ("a" * 1000, 2, True, False),
        ]


async def test_the_oldest_is_dropped_and_who_reads_is_told(
    talking: Orders, monkeypatch: pytest.MonkeyPatch, namespace: str, redis: Redis
) -> None:
    """Of 3 MiB the last one is kept, in Redis and while nothing can be written; what is lost shows too."""
    part = "b" * 40_000
    full = True

    async def write(*given: Any) -> Any:
        if full:
            raise StoreFull("not now")
        return await write_texts(*given)

    async def speak(job: Price) -> Priced:
        nonlocal full
        async with asyncio.timeout(LONG):
            current_job().stream("lost")
            await talking.events.wait_for("store.unavailable")
            full = False
            for _ in range(40):
                current_job().stream(part)
            await asyncio.sleep(0)
            for _ in range(40):
                current_job().stream(part)
            current_job().stream("end")
        return Priced(price=job.user_id)

    monkeypatch.setattr(progress, "write_texts", write)
    talking.create_workers(Price, speak)
    async with talking:
        job_id = await talking.create_job(Order())
        pieces = await read(talking.stream(job_id))
        whole = "".join(map(str, pieces))
        assert STREAM_BYTES * 0.9 < len(whole) < STREAM_BYTES
        assert (whole[0], whole[-4:], [piece.gap for piece in pieces].count(True)) == ("b", "bend", 1)
        assert pieces[0].gap
        taken: Any = redis.execute_command("MEMORY", "USAGE", f"{namespace}job:orders:{job_id}:stream")  # pyright: ignore[reportUnknownMemberType]
        assert taken < 1.2 * STREAM_BYTES


def _close_connections(redis: Any) -> None:
    for client in redis.client_list():
        if client["name"] in {"flows-orders", "flows-signals"}:
            redis.client_kill_filter(_id=client["id"])


@pytest.mark.usefixtures("only_messages")
async def test_it_goes_on_after_connections_were_lost(talking: Orders, redis: Redis) -> None:
    """Each piece comes once, in order, though the server closes all connections between two of them."""
    read_on = asyncio.Event()

    async def speak(job: Price) -> Priced:
        for number in range(4):
            current_job().stream(f"{number} ")
            await read_on.wait()
            read_on.clear()
        return Priced(price=job.user_id)

    talking.create_workers(Price, speak)
    async with talking:
        job_id = await talking.create_job(Order())
        pieces: list[TextPiece] = []

        async def listen() -> None:
            async for piece in talking.stream(job_id):
                pieces.append(piece)
                _close_connections(redis)
                read_on.set()

        await within(listen())
        assert [(piece.text, piece.gap) for piece in pieces] == [(f"{number} ", False) for number in range(4)]


async def test_what_cannot_be_streamed_or_followed_is_refused(talking: Orders) -> None:
    """No text, no job, an attempt that has ended, no such cursor, no such job, and one that is deleted meanwhile."""
    given_up, refused = threading.Event(), threading.Event()

    def outlive(current: Any) -> None:
        given_up.wait(LONG)

        def is_refused() -> bool:
            try:
                current.stream("late")
            except LostLease:
                return True
            return False

        blocking_until(is_refused)
        refused.set()

    async def speak(job: Price) -> Priced:
        with pytest.raises(ValidationError, match=r"stream\(7\): give a text"):
            current_job().stream(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        threading.Thread(target=outlive, args=(current_job(),)).start()
        return await price(job)

    with pytest.raises(FlowsError, match="no job runs here"):
        current_job().stream("x")
    talking.create_workers(Price, speak)
    async with talking:
        for cursor in ("x", "-1", "٣", "1" * 16, 7, ""):
            with pytest.raises(ValidationError, match="give the cursor of a piece"):
                talking.stream(new_job_id(), cursor)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(ValidationError, match="UUID"):
            talking.stream("x")
        job_id = await talking.create_job(Order())
        assert await read(talking.stream(job_id)) == []
        given_up.set()
        assert await asyncio.to_thread(refused.wait, LONG)
        assert await read(talking.stream(job_id)) == []
        await talking.delete_job(job_id)
        with pytest.raises(JobGone):
            await read(talking.stream(job_id))
