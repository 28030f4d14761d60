"""`SharedCalls`: what many ask for in one moment is sent as one call.

One call is under way at a time, and what comes meanwhile is the next one: so a call takes the more along the busier a
process is, and nobody waits for company.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from flows.store.client.packed_script import Packed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

#: A call takes so many at most, so many arguments, and so many bytes, unless it has one alone: no script takes long.
MOST: Final = 50
MOST_ARGUMENTS: Final = 4_000
MOST_BYTES: Final = 1 << 19

AskedT = TypeVar("AskedT", bound=Packed)


class SharedCalls(Generic[AskedT]):
    """Gathers what is asked for, and sends it.

    Args:
        send: Sends some in one call, and returns an answer for each.
    """

    def __init__(self, send: Callable[[Sequence[AskedT]], Awaitable[Sequence[Any]]]) -> None:
        self._send = send
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[tuple[AskedT, asyncio.Future[Any]]] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def call(self, asked: AskedT) -> Any:
        """Return the answer to what is asked for.

        Raises:
            StoreError: the call that it shared was refused, or not answered.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # whoever waits in another loop is served there
            self._loop, self._waiting, self._sending = loop, deque(), None
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((asked, answer))
        if self._sending is None:
            self._sending = loop.create_task(self._send_all(self._waiting))
        return await answer

    async def _send_all(self, waiting: deque[tuple[AskedT, asyncio.Future[Any]]]) -> None:
        """Send what waits, until nothing does."""
        part: list[tuple[AskedT, asyncio.Future[Any]]] = []
        try:
            while waiting:
                part = _take_part(waiting)
                await self._send_part(part)
        except BaseException:  # the loop ends
            for _, answer in (*part, *waiting):
                answer.cancel()
            raise
        finally:
            if self._waiting is waiting:
                self._sending = None

    async def _send_part(self, part: Sequence[tuple[AskedT, asyncio.Future[Any]]]) -> None:
        """Send some in one call, and hand out the answers; whoever has asked may have left."""
        try:
            answers = await self._send([asked for asked, _ in part])
        except Exception as error:  # noqa: BLE001 - each gets it, whatever it is
            for _, answer in part:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), found in zip(part, answers, strict=True):
            if not answer.done():
                answer.set_result(found)


def _take_part(waiting: deque[tuple[AskedT, asyncio.Future[Any]]]) -> list[tuple[AskedT, asyncio.Future[Any]]]:
    """Take the first ones, as many as one call may have, and one at least."""
    part, arguments, size = list[tuple[AskedT, asyncio.Future[Any]]](), 0, 0
    while waiting and len(part) < MOST:
        asked = waiting[0][0]
        arguments += asked.arguments
        size += len(asked.packed)
        if part and (arguments > MOST_ARGUMENTS or size > MOST_BYTES):
            break
        part.append(waiting.popleft())
    return part
