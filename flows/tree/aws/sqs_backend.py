"""`SqsBackend`: hands tasks over to workers by Amazon SQS; it needs the extra `aws`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from flows.errors import MalformedJob
from flows.tree.aws.sqs_messages import read_answer, write_order
from flows.tree.aws.sqs_queues import Queues
from flows.tree.backend.returns import HANDED_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from flows.tree.aws.client import AwsCredentials
    from flows.tree.aws.sqs_messages import Answered
    from flows.tree.backend.protocol import Order

_logger: Final = logging.getLogger("flows")


class SqsReturned:
    """An outcome that has come back: see `Returned`."""

    def __init__(self, queues: Queues, handle: str, answered: Answered) -> None:
        self._queues = queues
        self._handle = handle
        self.instance_id, self.execution, self.path, self.attempt, self.turn, self.outcome = answered

    async def ack(self) -> None:
        """Delete it from its queue: see `Returned.ack`."""
        await self._queues.delete("outcomes", self._handle)


class SqsBackend:
    """Hands the tasks that name it over to `SqsWorker`s, or to workers of yours in any language.

    `Trees(backends={"aws": SqsBackend("imports", region="eu-central-1")})` and `Task("large", large, backend="aws")`.
    Orders go by the queue `<prefix>-orders`, what has come of them by `<prefix>-outcomes`, and what was taken five
    times without an end to `<prefix>-dead`; `create_queues` makes them. docs/trees.md has the messages.

    Args:
        prefix: What the names of its queues begin with, up to 60 of the characters A-Z a-z 0-9 _ -.
        region: Where they are; None: what the environment says, as for botocore.
        endpoint: The URL of another server that speaks SQS.
        credentials: Who calls; None: whom botocore finds.

    Raises:
        MissingExtra: aiobotocore is not installed.
        DeclarationError: the prefix or the endpoint cannot be used.
    """

    def __init__(
        self,
        prefix: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        credentials: AwsCredentials | None = None,
    ) -> None:
        self._queues = Queues(prefix, region, endpoint, credentials)

    def __repr__(self) -> str:
        return f"<SqsBackend {self._queues.prefix}>"

    async def create_queues(self) -> None:
        """Make the queues, unless they are there.

        Raises:
            StoreError: they cannot be made, or are there with other attributes.
        """
        await self._queues.create()

    async def dispatch(self, order: Order) -> None:
        """Send an order: see `Backend.dispatch`."""
        await self._queues.send("orders", write_order(order, order.timeout or HANDED_TIMEOUT))

    async def outcomes(self) -> AsyncIterator[SqsReturned]:
        """Yield what comes back: see `Backend.outcomes`."""
        while True:
            for message in await self._queues.receive("outcomes"):
                try:
                    answered = read_answer(message.body)
                except MalformedJob as error:  # it would come again for ever
                    _logger.warning("a message was deleted from the outcomes of %s: %s", self._queues.prefix, error)
                    await self._queues.delete("outcomes", message.handle)
                else:
                    yield SqsReturned(self._queues, message.handle, answered)

    async def close(self) -> None:
        """Close the connections."""
        await self._queues.close()
