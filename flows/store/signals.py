"""Waiting for jobs to end: a subscription hastens it, reading the state decides it."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from flows.store.terms import Terms

#: A message may be lost, so the state is read again after this many seconds.
LOOK_AGAIN: Final = 1.0

_logger = logging.getLogger("flows.store")


class Endings:
    """One subscription that all who wait in this process share."""

    def __init__(self, url: str, terms: Terms) -> None:
        self._client: Any = redis.asyncio.Redis.from_url(
            url, protocol=2, socket_timeout=5, retry=Retry(NoBackoff(), 0), client_name="flows-endings"
        )
        self._terms = terms
        self._pubsub: Any = None
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None

    async def subscribe(self, flow: str, job_id: str) -> asyncio.Event:
        """Return an event that is set when the job may have ended; give it back by `unsubscribe`."""
        channel, event = self._terms.keys.ended(flow, job_id), asyncio.Event()
        waiting = self._waiting.setdefault(channel, [])
        waiting.append(event)
        with contextlib.suppress(RedisError, OSError):
            if self._pubsub is None:
                self._pubsub = self._client.pubsub(ignore_subscribe_messages=True)
            if len(waiting) == 1:
                await self._pubsub.subscribe(channel)
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._listen(), name="flows-endings")
        return event

    async def unsubscribe(self, flow: str, job_id: str, event: asyncio.Event) -> None:
        """Give an event back."""
        channel = self._terms.keys.ended(flow, job_id)
        waiting = self._waiting.get(channel, [])
        with contextlib.suppress(ValueError):
            waiting.remove(event)
        if not waiting and self._waiting.pop(channel, None) is not None and self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.unsubscribe(channel)

    async def close(self) -> None:
        """End the subscription."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.aclose()
            self._pubsub = None
        await self._client.aclose()

    async def _listen(self) -> None:
        while self._waiting:
            try:
                message = await self._pubsub.get_message(timeout=LOOK_AGAIN)
            except (RedisError, OSError, RuntimeError) as error:
                # RuntimeError: the first SUBSCRIBE has failed, so redis-py has no connection to read from.
                _logger.debug("the subscription to endings was lost: %s", error)
                await asyncio.sleep(LOOK_AGAIN)
                continue
            if message is not None and message.get("channel") is not None:
                for event in self._waiting.get(message["channel"].decode(), ()):
                    event.set()
