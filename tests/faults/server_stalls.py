"""For how long a single call keeps the server's one thread busy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tests.faults.server import Server

_T = TypeVar("_T")


class Stalls:
    """For how long single calls keep the server's one thread busy, by the kernel's account of its processor time.

    Others that use the same processor do not count, as they do in what the server itself measures.
    """

    def __init__(self, server: Server) -> None:
        self.samples: dict[str, list[float]] = defaultdict(list)
        self._account = Path(f"/proc/{server.pid}/schedstat")

    def of(self, name: str, call: Callable[[], _T]) -> _T:
        """Make a call, while nobody else makes one."""
        before = self._used()
        answer = call()
        self.samples[name].append(self._used() - before)
        return answer

    async def of_async(self, name: str, call: Awaitable[_T]) -> _T:
        """Make a call of a coroutine, while nobody else makes one."""
        before = self._used()
        answer = await call
        self.samples[name].append(self._used() - before)
        return answer

    def _used(self) -> float:
        return int(self._account.read_text("utf-8").split()[0]) / 1e6
