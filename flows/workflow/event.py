"""`WorkflowEvent`: what runs wait for, and what anybody sends them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from flows.model.arguments import check_text
from flows.model.creation.keys import check_key, time_in_ms
from flows.model.duration import Duration, check_duration
from flows.model.names import check_name
from flows.model.runs.shape import Shape

if TYPE_CHECKING:
    from flows.workflow.host import Host

EventT = TypeVar("EventT")

#: How long an event is kept for those who wait later.
DEFAULT_TTL: Final = timedelta(days=7)


class WorkflowEvent(Generic[EventT]):
    """An event of one type: `workflows.event("payment.received", Paid)` makes it, runs wait for it by its key.

    Attributes:
        name: Its name, the same in all apps of the namespace.
        shape: The type of what is sent.
        ttl: How long what was sent is kept for those who wait for it later.
    """

    ttl: Duration = Duration(DEFAULT_TTL)

    def __init__(self, host: Host, name: str, kind: type[EventT], ttl: timedelta | float = DEFAULT_TTL) -> None:
        self.name = check_name("event", name)
        self.shape: Shape[EventT] = Shape(kind, f"event {name!r}")
        self.ttl = ttl
        check_duration(f"event {name!r}: ttl", self.ttl)
        self._host = host

    def __repr__(self) -> str:
        return f"<WorkflowEvent {self.name}>"

    @property
    def ttl_ms(self) -> int:
        """How long what was sent is kept, in milliseconds."""
        return time_in_ms("ttl", self.ttl)

    async def send(self, data: EventT, *, key: str, event_id: str | None = None) -> int:
        """Send the event to all runs that wait for it by this key, or will within its `ttl`.

        Args:
            data: What they get.
            key: A text of 1 to 200 bytes, such as the id of an order.
            event_id: Sent twice with one id, it comes once. By default each call is an event of its own.

        Returns:
            How many runs go on with it now.

        Raises:
            ValidationError: the data are not of the event's type, or the key is none.
            StoreError: the server cannot be used. It may be sent again with the same `event_id`.
        """
        check_key("key", key)
        if event_id is not None:
            check_key("event_id", check_text("event_id", event_id))
        data_json = self.shape.encode(self.shape.accept(data))
        runs = await self._host.runs()
        return await runs.send_event(self.name, key, data_json, event_id or secrets.token_hex(8), self.ttl_ms)
