"""Serves those who watch: the rooms of this process, the connection that brings their hints, and two ways in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from flows.api import problem_of
from flows.errors import Forbidden, StoreError, TooManyRequests, ValidationError
from flows.server.asking import session_of
from flows.server.identity import bearer_of
from flows.server.live.connection import LiveConnection
from flows.server.live.instances import Instances
from flows.server.live.protocol import Watched
from flows.server.live.rooms import Rooms
from flows.server.live.sse import stream_watch
from flows.server.live.topic_room import TopicRoom
from flows.server.live.topics import TopicSource, check_may_watch
from flows.server.problem import refused, respond

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from flows.api import Admin, Caller
    from flows.server.identity import Identity, Session
    from flows.server.live.gate import Gate
    from flows.server.live.room import Watch

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
        self._rooms = Rooms(self._room, check_may_watch)
        self._instances = Instances(admin)
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
            await LiveConnection(socket, self._rooms, self._instances, identify).run()
        finally:
            self._connections, self._unknown = self._connections - 1, self._unknown - unknown

    async def stream(self, request: Request) -> Response:
        """Answer with a topic as Server-Sent Events, `/live?topic=…`, or with an instance, `/live/<id>`."""
        name = request.path_params.get("instance", "")
        topic = request.query_params.get("topic", "")
        if not name and not topic:
            raise ValidationError("name a topic, /live?topic=…, or an instance, /live/<id>")
        if self._connections >= MOST_CONNECTIONS:
            raise TooManyRequests(5.0)
        bearer = bearer_of(request)

        async def identify() -> Session | None:
            session = await self._identity.identify(request)
            return session or (None if bearer is None else self._identity.identify_token(bearer))

        async def enter(session: Session, on_change: Callable[[], None]) -> Watch:
            if name:
                return await self._instances.enter(name, session, on_change)
            if not session.may_watch(topic):
                raise Forbidden("this topic", "viewer", "this token is for other topics")
            return await self._rooms.enter(topic, session.caller, on_change)

        self._connections += 1  # also while it waits here
        try:
            await self._admin.open()
            session = session_of(request)  # the guard lets through nobody whom it does not know
            assert session is not None  # noqa: S101 - the same
            watched = Watched("id", name) if name else Watched("topic", topic)
            cursor = request.headers.get("last-event-id")
            return await stream_watch(watched, enter, session, identify, cursor, self._end)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self._connections -= 1

    async def close(self) -> None:
        """End all rooms, and with them the sockets and streams that watch; who comes then opens others."""
        await self._rooms.close()
        await self._instances.close()
        await self._admin.link.close_signals()

    def _room(self, topic: str, caller: Caller, gate: Gate) -> TopicRoom:
        source = TopicSource(topic, self._admin.acting_as(caller, via="live"), self._admin.link.signals)
        return TopicRoom(topic, source, gate)
