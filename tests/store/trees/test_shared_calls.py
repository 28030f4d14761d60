"""What many ask for in one moment is one call, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from flows.errors import StoreUnavailable
from flows.store.trees.shared_calls import MOST, MOST_ARGUMENTS, MOST_BYTES, SharedCalls


@dataclass
class One:
    """Something that is asked for."""

    name: str
    arguments: int = 1
    packed: bytes = b""


class Server:
    """Answers each with its name, as soon as it may; fails where it is told to."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.reached = asyncio.Event()
        self.may = asyncio.Event()
        self.failure: Exception | None = None
        self.shared: SharedCalls[One] = SharedCalls(self.send)

    async def send(self, asked: Sequence[One]) -> list[str]:
        """Answer a call."""
        self.asked.append([one.name for one in asked])
        self.reached.set()
        await self.may.wait()
        if self.failure is not None:
            raise self.failure
        return [one.name for one in asked]

    def ask(self, *asked: One) -> list[asyncio.Task[str]]:
        """Ask for some, each by itself."""
        return [asyncio.create_task(self.shared.call(one)) for one in asked]


async def begun(server: Server) -> None:
    """Return when the next call is with the server."""
    async with asyncio.timeout(5):
        await server.reached.wait()


async def test_what_comes_meanwhile_is_the_next_call() -> None:
    """One is under way at a time, and one that comes alone goes at once."""
    server = Server()
    first = server.ask(One("a"))
    await begun(server)
    later = server.ask(One("b"), One("c"))
    server.may.set()
    assert await asyncio.gather(*first, *later) == ["a", "b", "c"]
    assert await server.shared.call(One("d")) == "d"
    assert server.asked == [["a"], ["b", "c"], ["d"]]


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        ([One(str(at)) for at in range(MOST + 1)], [MOST, 1]),
        ([One("a", MOST_ARGUMENTS - 1), One("b"), One("c")], [2, 1]),
        ([One("a", packed=b"x" * MOST_BYTES), One("b", packed=b"x")], [1, 1]),
        ([One("a", 2 * MOST_ARGUMENTS, b"x" * 2 * MOST_BYTES), One("b")], [1, 1]),
    ],
)
async def test_a_call_takes_so_much(asked: list[One], calls: list[int]) -> None:
    """So many, so many arguments and so many bytes; but what is larger goes by itself."""
    server = Server()
    server.may.set()
    answers = await asyncio.gather(*server.ask(*asked))
    assert answers == [one.name for one in asked]
    assert [len(call) for call in server.asked] == calls


async def test_a_failure_is_of_those_who_shared_the_call() -> None:
    """And of nobody who comes after."""
    server = Server()
    server.failure = StoreUnavailable("away")
    first = server.ask(One("a"), One("b"))
    await begun(server)
    later = server.ask(One("c"))
    server.may.set()
    found = await asyncio.gather(*first, return_exceptions=True)
    assert [type(one) for one in found] == [StoreUnavailable] * 2
    with pytest.raises(StoreUnavailable):
        await later[0]
    server.failure = None
    assert await server.shared.call(One("d")) == "d"


async def test_who_leaves_takes_nobody_along() -> None:
    """Neither one that was sent, nor one that waits to be."""
    server = Server()
    sent = server.ask(One("a"), One("b"))
    await begun(server)
    waiting = server.ask(One("c"), One("d"))
    await asyncio.sleep(0)
    sent[0].cancel()
    waiting[0].cancel()
    await asyncio.sleep(0)
    server.may.set()
    assert await asyncio.gather(sent[1], waiting[1]) == ["b", "d"]


def test_each_loop_has_its_own_calls() -> None:
    """One that has ended with a call under way keeps nobody in the next loop."""
    server = Server()

    async def leave() -> None:
        task = server.ask(One("a"))[0]
        await begun(server)
        assert not task.done()

    async def ask() -> str:
        server.reached, server.may = asyncio.Event(), asyncio.Event()
        server.may.set()
        found: str = await server.shared.call(One("b"))
        return found

    asyncio.run(leave())
    assert asyncio.run(ask()) == "b"
    assert server.asked == [["a"], ["b"]]
