"""`SqsWorker`: runs the tasks that an `SqsBackend` hands over, in any process; it needs the extra `aws`."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flows.errors import LostLease, MalformedJob, StoreError
from flows.model.arguments import check_whole
from flows.model.tree.errors import InstanceGone, UnknownGenerator
from flows.tree.aws.sqs_calls import Calls, CallsOfFunctions, CallsOfTrees, NotHere
from flows.tree.aws.sqs_messages import read_order, write_answer
from flows.tree.aws.sqs_queues import VISIBILITY, Queues
from flows.tree.backend.protocol import Outcome
from flows.tree.trees import Trees
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.tree.aws.client import AwsCredentials
    from flows.tree.aws.sqs_queues import Message

#: What is worked on is kept from other workers anew after so many seconds.
_PROLONGED: Final = VISIBILITY // 3
#: Who cannot receive tries again after so many.
_PAUSE: Final = 1.0
#: An order that this worker has no function for is left to others for so long.
_OTHERS: Final = 10
#: Clocks differ: nobody waits for an order that is overdue by so many seconds.
_OVERDUE: Final = 60

_logger: Final = logging.getLogger("flows")


class SqsWorker:
    """Runs the orders of a queue, and sends what has come of them. `await worker.run()` works until it is stopped.

    A worker that dies leaves its orders in the queue: another one has them within a minute. So an order may run twice;
    `current_task().idempotency_key` is the same then.

    Args:
        prefix: That of the backend.
        functions: The `Trees` whose tasks it runs: it reads their views from the storage, and writes logs and progress
            there. Or functions by path, in which `*` stands for anything: `{"#.images.*": resize}`; each takes a
            `TaskInput`. They need no storage: logs go with the outcome, progress in messages of its own, every two
            seconds at most.
        concurrency: How many it runs at once.
        region: Where the queues are; None: what the environment says, as for botocore.
        endpoint: The URL of another server that speaks SQS.
        credentials: Who calls; None: whom botocore finds.

    Raises:
        MissingExtra: aiobotocore is not installed.
        DeclarationError: the prefix, the endpoint or a function cannot be used.
        ValidationError: the concurrency is no whole number from 1 on.
    """

    def __init__(
        self,
        prefix: str,
        functions: Trees | Mapping[str, Callable[..., Any]],
        *,
        concurrency: int = 4,
        region: str | None = None,
        endpoint: str | None = None,
        credentials: AwsCredentials | None = None,
    ) -> None:
        self._queues = Queues(prefix, region, endpoint, credentials)
        tell = partial(self._queues.send, "outcomes")
        self._calls: Calls = (
            CallsOfTrees(functions) if isinstance(functions, Trees) else CallsOfFunctions(functions, tell)
        )
        self._concurrency = check_whole("concurrency", concurrency, 1)
        self._running: dict[asyncio.Task[None], str] = {}
        self._stopping = asyncio.Event()

    def __repr__(self) -> str:
        return f"<SqsWorker {self._queues.prefix}>"

    def stop(self) -> None:
        """Let `run` return when what runs has ended; nothing more is begun."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop` is called, or whoever awaits this is cancelled: then others have at once what runs here."""
        prolonging = asyncio.create_task(self._prolong_forever(), name="flows-sqs-prolong")
        try:
            while not self._stopping.is_set():
                await self._receive()
            while self._running:
                await asyncio.wait(self._running)
        finally:
            prolonging.cancel()
            await self._leave()
            await asyncio.wait({prolonging})
            await self._queues.close()

    async def _receive(self) -> None:
        """Begin what comes, and never more than there is room for; return when nothing has come for a while."""
        stopping = asyncio.create_task(self._stopping.wait())
        receiving = asyncio.create_task(self._received())
        try:
            await asyncio.wait({stopping, receiving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            receiving.cancel()
            await asyncio.wait({stopping, receiving})
        if not receiving.cancelled():
            receiving.result()

    async def _received(self) -> None:
        while len(self._running) >= self._concurrency:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        try:
            messages = await self._queues.receive("orders", self._concurrency - len(self._running))
        except StoreError as error:
            _logger.warning("the worker of %s cannot receive orders: %s", self._queues.prefix, error)
            await asyncio.sleep(_PAUSE)
            return
        for message in messages:
            task = asyncio.create_task(self._work(message), name="flows-sqs-order")
            self._running[task] = message.handle
            task.add_done_callback(self._running.pop)

    async def _work(self, message: Message) -> None:
        """Run an order, send what has come of it, and delete it then."""
        try:
            answer = await self._answer(message)
            if answer:
                await self._queues.send("outcomes", answer)
            await self._queues.delete("orders", message.handle)
        except NotHere as error:
            _logger.warning("the worker of %s leaves an order to others: %s", self._queues.prefix, error)
            await self._hide([message.handle], _OTHERS)
        except StoreError as error:  # the order comes again
            _logger.warning("the worker of %s has not ended an order: %s", self._queues.prefix, error)

    async def _answer(self, message: Message) -> str:
        """Return the outcome of an order; empty: nobody waits for one.

        Raises:
            NotHere: this worker has no function for it.
            StoreError: a storage or a queue cannot be used.
        """
        try:
            order = read_order(message.body)
        except MalformedJob as error:  # five deliveries, and it is with the dead ones, for somebody to look at
            raise NotHere(str(error)) from error
        if order.seconds_left < -_OVERDUE:
            return ""
        try:
            outcome = await self._calls.call(order)
        except (NotHere, StoreError):
            raise
        except UnknownGenerator as error:
            raise NotHere(str(error)) from error
        except (LostLease, InstanceGone):
            return ""
        except Exception as error:  # noqa: BLE001 - of the generator, or what nobody has foreseen
            outcome = Outcome(error=error_of(error, order.path, order.attempt))
        return write_answer(order, outcome)

    async def _prolong_forever(self) -> None:
        while True:
            await asyncio.sleep(_PROLONGED)
            await self._hide(list(self._running.values()), VISIBILITY)

    async def _leave(self) -> None:
        """Break off what runs, and let others have it at once."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
            await self._hide(list(running.values()), 0)

    async def _hide(self, handles: list[str], seconds: int) -> None:
        try:
            await self._queues.hide("orders", handles, seconds)
        except StoreError as error:
            _logger.warning("the worker of %s cannot keep its orders: %s", self._queues.prefix, error)
