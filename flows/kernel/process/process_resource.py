"""The resource of a function in a process: opened before its first call, and closed after its last.

The function is a plain one and has the main thread. The lifespan is async and has an event loop in a thread beside it,
which runs on while the function does: what the resource has to do in the background (keep a connection, say) goes on.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class ProcessResource:
    """One resource of one process.

    Args:
        lifespan: Returns the async context manager that brings it.
    """

    def __init__(self, lifespan: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        self._lifespan = lifespan
        self._thread = threading.Thread(target=self._run, name="flows-resource", daemon=True)
        self._opened = threading.Event()
        self._error: BaseException | None = None
        self._value: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._enough: asyncio.Event | None = None

    def open(self) -> Any:
        """Open it and return what the lifespan brings, or raise what it raises."""
        self._thread.start()
        self._opened.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def close(self) -> None:
        """Close it, and wait for that."""
        if self._loop is not None and self._enough is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._enough.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._keep())
        except BaseException as error:  # noqa: BLE001 - it is user code; where it is open already, nobody asks any more
            self._error = error
        finally:
            self._opened.set()

    async def _keep(self) -> None:
        self._loop, self._enough = asyncio.get_running_loop(), asyncio.Event()
        async with self._lifespan() as self._value:
            self._opened.set()
            await self._enough.wait()
