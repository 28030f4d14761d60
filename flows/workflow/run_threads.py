"""The threads in which an app's plain step functions run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from flows.kernel.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable

#: So many plain functions of steps run at once in a process.
MOST: Final = 64


class RunThreads:
    """Threads of one app in the loop that uses them; each starts when it is first needed."""

    def __init__(self) -> None:
        self._threads: Threads | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Call a function of one argument in a thread and return what it returns.

        Raises:
            HostUnable: no thread can be started.
            Exception: what the function raises.
        """
        loop = asyncio.get_running_loop()
        if self._threads is None or self._loop is not loop:
            self.close()
            self._threads, self._loop = Threads(MOST), loop
        return await self._threads.call(function, argument)

    def close(self) -> None:
        """Let the threads end; functions that still run are not waited for."""
        if self._threads is not None:
            self._threads.close()
            self._threads = None
