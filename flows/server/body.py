"""What a request's body may be: so long, and here within a time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from flows.errors import PayloadTooLarge, WaitTimeout

if TYPE_CHECKING:
    from starlette.types import Message, Receive

#: Bytes of a body.
LONGEST_BODY: Final = 1024 * 1024
#: Seconds in which it comes: who sends it drop by drop holds a place for nothing.
BODY_WITHIN: Final = 20.0
_MOST_DRAINED: Final = 8 * LONGEST_BODY


class BoundedBody:
    """Receives a body, and no more of it than is allowed.

    Args:
        receive: Brings the messages of a request.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._is_whole = False
        self._until = asyncio.get_running_loop().time() + BODY_WITHIN

    async def receive(self) -> Message:
        """Receive the next message.

        Raises:
            PayloadTooLarge: The body is over the limit.
            WaitTimeout: It does not come in time.
        """
        try:
            # After its end, the next message is that the client has gone, which may take as long as it likes.
            async with asyncio.timeout_at(None if self._is_whole else self._until):
                message = await self._receive()
        except TimeoutError:
            raise WaitTimeout(f"the body did not come within {BODY_WITHIN:g} s") from None
        self._bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body")
        if self._bytes > LONGEST_BODY:
            if not self._is_whole:
                await drain(self._receive)
            raise PayloadTooLarge(f"a body is at most {LONGEST_BODY:,} bytes")
        return message


async def drain(receive: Receive) -> None:
    """Throw away what still comes of a body, up to a bound: a client that is cut off while it sends reads no answer."""
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BODY_WITHIN):
            while size < _MOST_DRAINED:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body"):
                    return
