"""`Queues`: the queues of Amazon SQS by which orders go to workers, and their outcomes come back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from pydantic_core import to_json

from flows.errors import DeclarationError, StoreUnavailable
from flows.tree.aws.client import AwsClient, AwsRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flows.tree.aws.client import AwsCredentials

#: What workers are to run; what has come of it; and what was taken so often that nothing ever will.
QueueName: TypeAlias = Literal["orders", "outcomes", "dead"]

#: So long a message that was received is kept from others, in seconds, unless that is prolonged.
VISIBILITY: Final = 60
#: So long who receives waits for a message.
_WAIT: Final = 20
#: A message that was received so often without an end goes to the queue of dead ones.
_DELIVERIES: Final = 5
#: Queues keep messages for 14 days.
_RETENTION: Final = 14 * 24 * 3600
#: A call has so many messages at most.
MOST_MESSAGES: Final = 10
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_NOT_THERE: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


class Message(NamedTuple):
    """A message that was received.

    Attributes:
        handle: Names this reception, for what is done with it.
        body: Its text.
    """

    handle: str
    body: str


class Queues:
    """Three standard queues, `<prefix>-orders`, `<prefix>-outcomes` and `<prefix>-dead`.

    Args:
        prefix: What their names begin with.
        region: Where they are.
        endpoint: The URL of another server than Amazon's.
        credentials: Who calls.
    """

    def __init__(
        self, prefix: str, region: str | None, endpoint: str | None, credentials: AwsCredentials | None
    ) -> None:
        if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"prefix {prefix!r:.80} of queues: use 1 to 60 of the characters A-Z a-z 0-9 _ -")
        self.prefix = prefix
        self._client = AwsClient("sqs", region, endpoint, credentials)
        self._urls: dict[QueueName, str] = {}

    async def create(self) -> None:
        """Make the queues, unless they are there.

        Raises:
            StoreError: they cannot be made, or are there with other attributes.
        """
        common = {"MessageRetentionPeriod": str(_RETENTION), "VisibilityTimeout": str(VISIBILITY)}
        polled = {**common, "ReceiveMessageWaitTimeSeconds": str(_WAIT)}
        dead = await self._create("dead", common)
        asked = await self._client.call("get_queue_attributes", QueueUrl=dead, AttributeNames=["QueueArn"])
        redrive = {"deadLetterTargetArn": asked["Attributes"]["QueueArn"], "maxReceiveCount": _DELIVERIES}
        await self._create("orders", {**polled, "RedrivePolicy": to_json(redrive).decode()})
        # Outcomes have none: whoever waits for one may be away for long.
        await self._create("outcomes", polled)

    async def send(self, name: QueueName, body: str) -> None:
        """Send a message.

        Raises:
            StoreError: it was not sent.
        """
        await self._client.call("send_message", QueueUrl=await self._url(name), MessageBody=body)

    async def receive(self, name: QueueName, most: int = MOST_MESSAGES) -> list[Message]:
        """Return messages, up to 10, when there are some, or none after a while; others do not see them for 60 s.

        Raises:
            StoreError: the queue cannot be used.
        """
        answer = await self._client.call(
            "receive_message",
            QueueUrl=await self._url(name),
            MaxNumberOfMessages=min(most, MOST_MESSAGES),
            WaitTimeSeconds=_WAIT,
            VisibilityTimeout=VISIBILITY,
        )
        return [Message(one["ReceiptHandle"], one["Body"]) for one in answer.get("Messages", ())]

    async def delete(self, name: QueueName, handle: str) -> None:
        """Delete a message that was received.

        Raises:
            StoreError: it was not deleted.
        """
        await self._client.call("delete_message", QueueUrl=await self._url(name), ReceiptHandle=handle)

    async def hide(self, name: QueueName, handles: Iterable[str], seconds: int) -> None:
        """Keep messages that were received from others for so long from now on; what is deleted meanwhile is left out.

        Raises:
            StoreError: the queue cannot be used.
        """
        for part in _parted(list(handles)):
            entries: list[dict[str, Any]] = [
                {"Id": str(nth), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                for nth, handle in enumerate(part)
            ]
            url = await self._url(name)
            await self._client.call("change_message_visibility_batch", QueueUrl=url, Entries=entries)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _create(self, name: QueueName, attributes: dict[str, str]) -> str:
        answer = await self._client.call("create_queue", QueueName=f"{self.prefix}-{name}", Attributes=attributes)
        return str(answer["QueueUrl"])

    async def _url(self, name: QueueName) -> str:
        if name not in self._urls:
            full = f"{self.prefix}-{name}"
            try:
                self._urls[name] = str((await self._client.call("get_queue_url", QueueName=full))["QueueUrl"])
            except AwsRefused as error:
                if error.code in _NOT_THERE:
                    raise StoreUnavailable(f"the queue {full} is not there: make it by create_queues()") from error
                raise
        return self._urls[name]


def _parted(handles: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(handles), MOST_MESSAGES):
        yield handles[at : at + MOST_MESSAGES]
