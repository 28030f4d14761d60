"""A TCP proxy before a server, in a thread of its own: it delays, holds back, refuses, and cuts where it is told to."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal, Self, TypeVar

from tests.faults.framing import Command, Commands, Replies, is_push
from tests.faults.ports import free_port
from tests.faults.traffic import Conditions, Line, reset

_T = TypeVar("_T")

#: What clients say to be let in: not counted unless wanted.
HANDSHAKE: Final = frozenset({"HELLO", "AUTH", "CLIENT", "SELECT", "INFO"})
#: Before a cut, what was sent before it is given so many seconds to be answered.
_ANSWER_SECONDS: Final = 1.0


class Proxy:
    """Stands before the server at a port of this machine. All its methods may be called from any thread."""

    def __init__(self, target_port: int, *, include_handshake: bool = False) -> None:
        self.target_port = target_port
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        #: How many connections were ever accepted.
        self.connects = 0
        #: How many ordered cuts were made.
        self.cuts = 0
        #: What was counted since the last reset: the connection, and the first two words of the command.
        self.seen: list[tuple[int, list[bytes]]] = []
        self.conditions = Conditions()
        #: Whether the commands of `HANDSHAKE` count too.
        self.include_handshake = include_handshake
        self._sessions: set[_Session] = set()
        self._target: tuple[int, Literal["before", "after"]] | None = None
        self._refuse_then = False
        self._was_cut = threading.Event()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self.accept()

    def stop(self) -> None:
        """End all connections, and listen no more."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self.stop()

    def refuse(self) -> None:
        """Refuse new connections; those that are open stay."""
        self._do(self._close_listener)

    def accept(self) -> None:
        """Take new connections again."""
        asyncio.run_coroutine_threadsafe(self._accept(), self._loop).result()

    def cut_all(self) -> int:
        """Reset all connections, on both sides, and return how many there were."""

        def cut() -> int:
            sessions = list(self._sessions)
            for session in sessions:
                session.cut()
            self._sessions.clear()
            return len(sessions)

        return self._do(cut)

    def blackhole(self, direction: Literal["up", "down", "both"]) -> None:
        """Let nothing through to the server, from it, or both. As on a real way, what is sent arrives afterwards."""
        self._do(lambda: self.conditions.close(direction))

    def open(self) -> None:
        """Let everything through, also what was held back."""
        self._do(self.conditions.open)

    def delay(self, ms: float, jitter_ms: float = 0) -> None:
        """Let a round trip take longer by so many milliseconds, and by a chance of more."""
        self._do(lambda: self.conditions.delay(ms, jitter_ms))

    def throttle(self, bytes_per_s: float) -> None:
        """Let through so many bytes in a second, each way; 0: as many as there are."""
        self._do(lambda: self.conditions.throttle(bytes_per_s))

    def reset(self) -> None:
        """Count from 0 again, and forget an order to cut."""

        def start_again() -> None:
            self.seen = []
            self._target = None
            self._was_cut.clear()

        self._do(start_again)

    def count(self) -> int:
        """Return how many commands were seen since the last reset."""
        return len(self.seen)

    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self._sessions)

    def cut_before(self, n: int, *, refuse: bool = False) -> None:
        """Cut the connection of the n-th command from now, which does not reach the server; then `refuse`, or not."""
        self._order(n, "before", refuse=refuse)

    def cut_after(self, n: int, *, refuse: bool = False) -> None:
        """Cut the connection of the n-th command from now when it was executed: its reply is lost."""
        self._order(n, "after", refuse=refuse)

    def wait_cut(self, timeout: float = 0.0) -> bool:
        """Whether the ordered cut was made; waits for it so many seconds."""
        return self._was_cut.wait(timeout)

    def _do(self, action: Callable[[], _T]) -> _T:
        """Call something in the proxy's own thread."""

        async def act() -> _T:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _order(self, n: int, moment: Literal["before", "after"], *, refuse: bool) -> None:
        def order() -> None:
            self._was_cut.clear()
            self._refuse_then = refuse
            self._target = (len(self.seen) + n, moment)

        self._do(order)

    def counted(self, session: int, command: Command) -> Literal["before", "after"] | None:
        """Count a command, and say what shall become of it."""
        if not self.include_handshake and command.name in HANDSHAKE:
            return None
        self.seen.append((session, command.words[:2]))
        if self._target is None or self._target[0] != len(self.seen):
            return None
        moment, self._target = self._target[1], None
        return moment

    def cut_made(self) -> None:
        """Hear of an ordered cut."""
        self.cuts += 1
        if self._refuse_then:
            self._close_listener()
        self._was_cut.set()

    async def _accept(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _stop(self) -> None:
        self._close_listener()
        for session in list(self._sessions):
            session.cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        number = self.connects
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            reset(writer)
            return
        session = _Session(self, number, writer, up_writer)
        self._sessions.add(session)
        session.run(reader, up_reader).add_done_callback(lambda _: self._sessions.discard(session))


class _Session:
    """One connection of a client, and the one to the server that stands for it."""

    def __init__(self, proxy: Proxy, number: int, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._number = number
        self._client, self._server = client, server
        chance = random.Random(number)  # noqa: S311 - jitter
        self.to_server = Line("up", proxy.conditions, server, chance)
        self.to_client = Line("down", proxy.conditions, client, chance)
        self._commands, self._replies = Commands(), Replies()
        self._waiting: deque[bool] = deque()
        """For each reply that is to come: whether the cut is to be made instead of it."""
        self._task: asyncio.Task[None] | None = None

    def run(self, client: asyncio.StreamReader, server: asyncio.StreamReader) -> asyncio.Task[None]:
        """Carry both ways, until one side ends or the cut."""
        self._task = asyncio.get_running_loop().create_task(self._run(client, server))
        return self._task

    def cut(self, *, gently: bool = False) -> None:
        """Reset both sides; `gently` lets the server still read what was sent to it."""
        reset(self._client)
        if gently:
            self._server.close()
        else:
            reset(self._server)
        if self._task is not None:
            self._task.cancel()

    async def _run(self, client: asyncio.StreamReader, server: asyncio.StreamReader) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._up(client))
                tasks.create_task(self._down(server))
                tasks.create_task(self.to_server.carry())
                tasks.create_task(self.to_client.carry())
        except* OSError:
            self.cut()

    async def _up(self, reader: asyncio.StreamReader) -> None:
        """Take what the client sends."""
        while data := await reader.read(1 << 16):
            sent: list[bytes] = []
            for command in self._commands.feed(data):
                moment = self._proxy.counted(self._number, command)
                if moment == "before":
                    self.to_server.put(b"".join(sent))
                    await self._cut_when_answered()
                    return
                sent.append(command.raw)
                self._waiting += [False] * command.replies
                if moment == "after":
                    self._waiting[-1] = True
                    break
            self.to_server.put(b"".join(sent))
            if self._waiting and self._waiting[-1]:
                return
        self.to_server.end()

    async def _down(self, reader: asyncio.StreamReader) -> None:
        """Take what the server sends."""
        while data := await reader.read(1 << 16):
            sent: list[bytes] = []
            for reply in self._replies.feed(data):
                if not is_push(reply) and self._waiting and self._waiting.popleft():
                    self.to_client.put(b"".join(sent))
                    await self.to_client.idle()
                    self.cut(gently=True)
                    self._proxy.cut_made()
                    return
                sent.append(reply)
            self.to_client.put(b"".join(sent))
        self.to_client.end()

    async def _cut_when_answered(self) -> None:
        """Cut when what went before has been done and answered, so that every run of a test is the same."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _ANSWER_SECONDS
        while self._waiting and loop.time() < end:  # noqa: ASYNC110 - for a test it is soon enough
            await asyncio.sleep(0.001)
        await self.to_client.idle()
        self.cut(gently=True)
        self._proxy.cut_made()
