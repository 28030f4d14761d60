"""Serves those who watch: the rooms of this process, the connection that brings their hints, and two ways in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from flows.api import problem_of
from flows.errors import StoreError, TooManyRequests, ValidationError
from flows.server.asking import caller_of, session_of
from flows.server.live.connection import LiveConnection
from flows.server.live.rooms import Rooms
from flows.server.live.sse import stream_topic
from flows.server.live.topics import TopicSource, check_may_watch
from flows.server.problem import refused, respond
from flows.store.client.signals import Signals
from flows.telemetry.events import Events

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from flows.api import Admin, Caller
    from flows.server.identity import Identity, Session

#: Sockets and streams of one process.
MOST_CONNECTIONS: Final = 10_000
#: Those among them that have not said who they are: anybody's pages can open such, and they take no place of others.
MOST_UNKNOWN: Final = 500


class Live:
    """All watching of one app.

    Args:
        admin: What the topics are read by.
        identity: Says who watches.
    """

    def __init__(self, admin: Admin, identity: Identity) -> None:
        self._admin = admin
        self._identity = identity
        self._rooms = Rooms(self._source, check_may_watch)
        self._signals: Signals | None = None
        self._connections = 0
        self._unknown = 0

    async def watch(self, socket: WebSocket) -> None:
        """Serve a socket until it ends."""
        unknown = foreign = session_of(socket) is None  # the guard has found that a page of another site asks
        if self._connections >= MOST_CONNECTIONS or (foreign and self._unknown >= MOST_UNKNOWN):
            await socket.send_denial_response(refused(503, "many watch already: try again, or another replica"))
            return

        async def identify(token: str | None) -> Session | None:
            nonlocal unknown
            session = None
            if token is not None:
                session = self._identity.identify_token(token)
            elif not foreign:
                session = await self._identity.identify(socket)
            if unknown and session is not None:
                unknown, self._unknown = False, self._unknown - 1
            return session

        self._connections, self._unknown = self._connections + 1, self._unknown + unknown  # also while it waits here
        try:
            try:
                await self._admin.open()
            except StoreError as error:
                await socket.send_denial_response(respond(problem_of(error)))
                return
            await LiveConnection(socket, self._rooms, identify).run()
        finally:
            self._connections, self._unknown = self._connections - 1, self._unknown - unknown

    async def stream(self, request: Request) -> Response:
        """Answer with a topic as Server-Sent Events: `/live?topic=…`."""
        topic = request.query_params.get("topic", "")
        if not topic:
            raise ValidationError("name a topic: /live?topic=…")
        if self._connections >= MOST_CONNECTIONS:
            raise TooManyRequests(5.0)

        async def identify() -> Session | None:
            return await self._identity.identify(request)

        self._connections += 1  # also while it waits here
        try:
            await self._admin.open()
            return await stream_topic(
                self._rooms, topic, caller_of(request), identify, request.headers.get("last-event-id"), self._end
            )
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self._connections -= 1

    async def close(self) -> None:
        """End all rooms, and with them the sockets and streams that watch; who comes then opens others."""
        await self._rooms.close()
        signals, self._signals = self._signals, None
        if signals is not None:
            await signals.close()

    def _source(self, topic: str, caller: Caller) -> TopicSource:
        if self._signals is None:
            self._signals = Signals(self._admin.link.url, Events(logging.getLogger("flows")))
        return TopicSource(topic, self._admin.acting_as(caller, via="live"), self._signals)
