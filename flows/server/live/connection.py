"""One watcher's WebSocket: what it asks for, and what it is sent, as fast as it takes it and no faster."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect, WebSocketState

from flows.errors import FlowsError
from flows.server import patient_stream
from flows.server.live import protocol
from flows.server.live.sending import LOOKED_EVERY, Over, Sending
from flows.server.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.websockets import WebSocket

    from flows.server.identity import Session
    from flows.server.live.instances import Instances
    from flows.server.live.protocol import Watched
    from flows.server.live.room import Watch
    from flows.server.live.rooms import Rooms

_log: Final = logging.getLogger("flows.server")
#: Rooms of one connection.
MOST_ROOMS: Final = 100
#: Messages that a client may send in a second.
MOST_MESSAGES: Final = 20
#: So many seconds before a token ends the client is told.
TOLD_BEFORE: Final = 30.0
#: Commands of one connection that are under way.
_MOST_COMMANDS: Final = 8


class LiveConnection:
    """One WebSocket, from the handshake to its end.

    Args:
        socket: It has not been accepted yet.
        rooms: Those of the process for topics.
        instances: What it shows of trees, and does with them.
        identify: Returns whose a token is, or for None who the handshake says; None where that is nobody.
    """

    def __init__(
        self,
        socket: WebSocket,
        rooms: Rooms,
        instances: Instances,
        identify: Callable[[str | None], Awaitable[Session | None]],
    ) -> None:
        self._socket = socket
        self._rooms = rooms
        self._instances = instances
        self._identify = identify
        self._token: str | None = None
        self._session: Session | None = None
        self._watches: dict[Watched, Watch] = {}
        self._entering: dict[Watched, asyncio.Task[None]] = {}
        self._commands = 0
        self._sending = Sending(socket, self._watches, self._unwatch)
        self._rate = Rate(MOST_MESSAGES)

    async def run(self) -> None:
        """Serve the client until it or the server goes."""
        await self._socket.accept(subprotocol=protocol.SUBPROTOCOL)
        self._session = await self._identify(None)
        self._sending.say(protocol.hello(authenticated=self._session is not None))
        code, reason = protocol.GOING, ""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sending.keep_sending())
                group.create_task(self._keep_checking())
                group.create_task(self._keep_reading(group))
        except* Over as ends:
            over = _first(ends)
            code, reason = over.code, str(over)
        except* WebSocketDisconnect:
            code = 0
        finally:
            for watch in self._watches.values():
                watch.leave()
            self._watches.clear()
            if code and self._socket.application_state is WebSocketState.CONNECTED:
                await self._close(code, reason)

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(1):
                await self._socket.close(code, reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            pass  # it takes nothing any more

    async def _receive(self) -> str:
        """Return the next text of the client; bytes are read as one, whatever they hold."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        return message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")

    async def _keep_reading(self, group: asyncio.TaskGroup) -> None:
        while True:
            text = await self._receive()
            if len(text.encode()) > protocol.LONGEST_MESSAGE:
                raise Over(protocol.TOO_MUCH, f"a message is at most {protocol.LONGEST_MESSAGE} bytes")
            if not self._rate.take():
                raise Over(protocol.TOO_MUCH, f"at most {MOST_MESSAGES} messages a second")
            try:
                message = protocol.read_message(text)
            except ValueError as error:
                self._sending.say(protocol.app_error("invalid", str(error), ref=protocol.ref_of(text)))
                continue
            match message:
                case protocol.Authenticate():
                    await self._authenticate(message.token)
                case protocol.UnwatchTopic() | protocol.UnwatchInstance():
                    self._unwatch(message.watched)
                case protocol.WatchTopic() | protocol.WatchInstance():
                    await self._begin_to_watch(message, group)
                case _:
                    await self._begin_to_act(message, group)

    async def _begin_to_watch(self, message: protocol.Watching, group: asyncio.TaskGroup) -> None:
        watched = message.watched
        if self._session is None:
            self._sending.say(protocol.app_error("unauthenticated", "authenticate first", watched))
        elif watched.member == "topic" and not self._session.may_watch(watched.name):
            self._sending.say(protocol.app_error("forbidden", "this token is for other topics", watched))
        elif len(self._watches.keys() | self._entering.keys() | {watched}) > MOST_ROOMS:
            self._sending.say(protocol.app_error("too_many", f"a connection has {MOST_ROOMS} rooms at most", watched))
        else:
            await self._check()
            if (entering := self._entering.pop(watched, None)) is not None:
                entering.cancel()
            self._entering[watched] = group.create_task(self._watch(self._session, message))

    async def _begin_to_act(self, command: protocol.Command, group: asyncio.TaskGroup) -> None:
        if self._session is None:
            self._sending.say(protocol.app_error("unauthenticated", "authenticate first", ref=command.ref))
        elif self._commands >= _MOST_COMMANDS:
            self._sending.say(
                protocol.app_error("too_many", f"{_MOST_COMMANDS} commands are under way", ref=command.ref)
            )
        else:
            await self._check()
            self._commands += 1
            group.create_task(self._act(self._session, command))

    async def _act(self, session: Session, command: protocol.Command) -> None:
        try:
            self._sending.say(await self._instances.answer(command, session))
        except FlowsError as error:
            self._sending.say(protocol.refused(error, ref=command.ref))
        except Exception:  # noqa: BLE001 - a fault of ours, which the others of the connection are not to feel
            _log.exception("a %s failed", command.type)
            self._sending.say(
                protocol.refused(FlowsError("this is a fault of the server; its log says more"), ref=command.ref)
            )
        finally:
            self._commands -= 1

    async def _authenticate(self, token: str) -> None:
        session = await self._identify(token)
        if session is None:
            raise Over(protocol.NO_TOKEN, "this token is not known, or has ended")
        if self._session is not None and session.caller != self._session.caller:
            raise Over(protocol.NO_TOKEN, "this token is another caller's: connect anew")
        self._token, self._session = token, session
        for watched, watch in tuple(self._watches.items()):
            self._keep(watched, watch, session)
        self._sending.tell()

    def _keep(self, watched: Watched, watch: Watch, session: Session) -> None:
        """Go on with a watch, or begin with it, where the session may have it."""
        is_topic = watched.member == "topic"
        if session.may_watch(watched.name) if is_topic else self._instances.may_keep(watch, session):
            self._watches[watched] = watch
        else:
            self._watches.pop(watched, None)
            watch.leave()
            self._sending.say(protocol.app_error("forbidden", "this token is for others", watched))

    async def _watch(self, session: Session, message: protocol.Watching) -> None:
        watched = message.watched
        try:
            if isinstance(message, protocol.WatchTopic):
                watch = await self._rooms.enter(watched.name, session.caller, self._sending.tell)
            else:
                watch = await self._instances.enter(watched.name, session, self._sending.tell)
                self._instances.follow(watch, message.logs, session)
        except FlowsError as error:
            self._leave(watched)
            self._sending.say(protocol.refused(error, watched))
        else:
            self._leave(watched)  # not before: the room would close, and open again
            watch.seen = watch.room.seen(message.cursor)
            self._keep(watched, watch, self._session or session)  # a narrower token may have come meanwhile
            self._sending.tell()
        finally:
            if self._entering.get(watched) is asyncio.current_task():
                del self._entering[watched]

    def _unwatch(self, watched: Watched) -> None:
        if (entering := self._entering.pop(watched, None)) is not None:
            entering.cancel()
        self._leave(watched)

    def _leave(self, watched: Watched) -> None:
        if (watch := self._watches.pop(watched, None)) is not None:
            watch.leave()

    async def _sleep(self, seconds: float) -> None:
        """Sleep, and see meanwhile that the client takes what it is sent, and hears something now and then."""
        end = time.monotonic() + seconds
        while True:
            await asyncio.sleep(max(0.0, min(LOOKED_EVERY, patient_stream.TAKEN_WITHIN / 4, end - time.monotonic())))
            self._sending.look()
            if time.monotonic() >= end:
                return

    async def _keep_checking(self) -> None:
        """Check who the client is: in time after the handshake, each minute, and when its token is over."""
        if self._session is None:
            await self._sleep(protocol.TIME_TO_AUTHENTICATE)
        told_of: float | None = None
        while True:
            if self._session is None:
                raise Over(protocol.NO_TOKEN, "nobody said who this is")
            ends_at = self._session.ends_at
            left = float("inf") if ends_at is None else ends_at - time.time()
            if left <= TOLD_BEFORE and told_of != ends_at:
                told_of = ends_at
                self._sending.say(protocol.token_ends(max(0.0, left)))
            await self._sleep(
                max(0.0, min(protocol.CHECKED_EVERY, left if left <= TOLD_BEFORE else left - TOLD_BEFORE))
            )
            await self._check()

    async def _check(self) -> None:
        """Look again who the client is; where it may do other things by now, it has to come anew."""
        session, before = await self._identify(self._token), self._session
        if session is None or before is None or session.caller != before.caller:
            raise Over(protocol.NO_TOKEN, "the token has ended, or was taken back")
        self._session = session


def _first(group: BaseExceptionGroup[Over]) -> Over:
    one = group.exceptions[0]
    return one if isinstance(one, Over) else _first(one)
