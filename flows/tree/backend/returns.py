"""Waits in this process for the outcomes of orders that were handed over to a backend."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flows.tree.backend.protocol import Progress

if TYPE_CHECKING:
    from flows.tree.backend.protocol import Backend, Order, Outcome, Returned

#: An order that was handed over has so many seconds, where its task says nothing.
HANDED_TIMEOUT: Final = 3600.0
#: A backend that fails is asked again after so many seconds.
PAUSE: Final = 1.0


class Returns:
    """What has come back, for those who wait; what nobody waits for is dropped."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str, int, int], tuple[Order, asyncio.Future[Outcome]]] = {}
        self._receiving: dict[Backend, asyncio.Task[None]] = {}

    def expect(self, order: Order, backend: Backend) -> asyncio.Future[Outcome]:
        """Return what is resolved when an order that is about to be handed over has come back."""
        loop = asyncio.get_running_loop()
        if backend not in self._receiving:
            self._receiving[backend] = loop.create_task(self._receive(backend))
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting[_key(order)] = order, future
        return future

    def forget(self, order: Order) -> None:
        """Wait for an order no more."""
        self._waiting.pop(_key(order), None)

    async def close(self) -> None:
        """Receive nothing more."""
        tasks, self._receiving = list(self._receiving.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, backend: Backend) -> None:
        while True:
            try:
                async for returned in backend.outcomes():
                    order, future = self._waiting.get(_key(returned), (None, None))
                    if order is None or future is None or future.done():
                        pass
                    elif isinstance(returned.outcome, Progress):
                        order.current.progress(*returned.outcome)
                    else:
                        future.set_result(returned.outcome)
                    await returned.ack()
            except Exception:  # noqa: BLE001, S110 - whatever a backend raises: what it has will come again
                pass
            await asyncio.sleep(PAUSE)


def _key(one: Order | Returned) -> tuple[str, str, int, int]:
    return one.execution, one.path, one.attempt, one.turn
