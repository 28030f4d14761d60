"""A response that is sent part by part, and given up when nobody takes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from starlette.types import Message, Receive, Scope, Send

#: Seconds in which a client takes what it is sent; one that does not is stalled, and holds a place for nothing.
TAKEN_WITHIN: Final = 20.0


class PatientStream(StreamingResponse):
    """A response that ends when what it sends is not taken in time.

    Args:
        parts: What is sent.
        on_end: Called once, however it ends.
        headers: Of the response.
        media_type: Of what is sent.
    """

    def __init__(
        self, parts: AsyncGenerator[bytes], on_end: Callable[[], None], headers: Mapping[str, str], *, media_type: str
    ) -> None:
        super().__init__(parts, headers=headers, media_type=media_type)
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(TAKEN_WITHIN):
                await send(message)

        try:
            await super().__call__(scope, receive, patiently)
        except* TimeoutError:
            pass  # its reader is stalled, and sees the end of it when it reads on
        finally:
            self._on_end()
