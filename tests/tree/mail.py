"""A backend of tests, which hands orders over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from flows.tree.backend.protocol import Order, Outcome, Progress, Returned


class Mail:
    """A backend that hands orders over, and gives back what it is told to; each outcome twice."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.back: asyncio.Queue[Returned] = asyncio.Queue()
        self.acked = 0

    async def dispatch(self, order: Order) -> Outcome | None:
        """Take an order."""
        self.orders.append(order)
        return None

    async def outcomes(self) -> AsyncIterator[Returned]:
        """Yield what was given back; it fails now and then, as a network does."""
        while True:
            yield await self.back.get()
            if self.acked == 1:
                self.acked += 1
                raise OSError("the line is dead")

    async def close(self) -> None:
        """Let go of nothing."""

    def give(self, order: Order, outcome: Outcome | Progress) -> None:
        """Give an outcome back, or how far the order is; twice."""
        for _ in range(2):
            self.back.put_nowait(_Back(self, order, outcome))


class _Back:
    def __init__(self, mail: Mail, order: Order, outcome: Outcome | Progress) -> None:
        self.instance_id, self.execution, self.path = order.instance_id, order.execution, order.path
        self.attempt, self.turn, self.outcome, self._mail = order.attempt, order.turn, outcome, mail

    async def ack(self) -> None:
        """Take note."""
        self._mail.acked += 1
