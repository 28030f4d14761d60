"""Runs functions in threads that end with the interpreter: one that hangs holds up neither its worker nor the process.

The threads of `concurrent.futures` are joined when the interpreter exits, and one whose caller has gone keeps its
slot. These are daemons, and one whose caller has gone may be replaced until its function returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from flows.errors import HostUnable

if TYPE_CHECKING:
    from collections.abc import Callable

ArgumentT = TypeVar("ArgumentT")
ReturnedT = TypeVar("ReturnedT")

#: How many abandoned functions may run on before new calls have to wait for a thread.
SPARE: Final = 32
#: So many seconds at most the end of idle threads is waited for: it is near, unless the machine is busy.
_ENDING: Final = 0.25


class _Call:
    """A function to call, and its result."""

    __slots__ = ("argument", "context", "dropped", "ended", "error", "function", "future", "result", "taken", "thread")

    def __init__(self, function: Callable[[Any], Any], argument: Any, future: asyncio.Future[None]) -> None:
        self.function = function
        self.argument = argument
        self.future = future
        self.context = contextvars.copy_context()
        #: Whether a thread has taken it, whether the function has returned or raised, whether nobody waits any more.
        self.taken = self.ended = self.dropped = False
        #: Which thread has taken it; until then, whoever has made it.
        self.thread = threading.current_thread()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call the function; this runs in the thread, and never raises."""
        try:
            self.result = self.context.run(self.function, self.argument)
        except StopIteration as error:
            self.error = RuntimeError("the function raised StopIteration")  # which would end whoever awaits it
            self.error.__cause__ = error
        except BaseException as error:  # noqa: BLE001 - whoever awaits it decides
            self.error = error


class Threads:
    """Up to `most` functions at once, for coroutines of one event loop.

    Args:
        most: How many threads there are at most, without those that are abandoned.
        spare: How many abandoned threads are replaced; beyond that, calls wait for a free one.
    """

    def __init__(self, most: int, spare: int = SPARE) -> None:
        self._most = most
        self._spare = spare
        self._loop = asyncio.get_running_loop()
        self._closed = False
        #: What is to be called; None ends the threads.
        self._waiting: SimpleQueue[_Call | None] = SimpleQueue()
        self._ended: deque[_Call] = deque()
        #: Whether the loop is already going to resolve the calls that have ended.
        self._notified = False
        #: Held wherever one of the numbers below or the state of a call changes.
        self._lock = threading.Lock()
        self._calls = self._threads = self._abandoned = 0
        #: The threads that end by themselves when these are closed: all but those that are abandoned.
        self._ending: set[threading.Thread] = set()

    @property
    def abandoned(self) -> int:
        """How many functions still run though nobody waits for them."""
        return self._abandoned

    async def call(self, function: Callable[[ArgumentT], ReturnedT], argument: ArgumentT) -> ReturnedT:
        """Call `function(argument)` in a thread and return what it returns, or raise what it raises.

        When this is cancelled, a function that no thread has taken yet is dropped; one that runs is abandoned.

        Raises:
            HostUnable: there is no thread for it, and none can be started.
        """
        if self._closed:
            raise RuntimeError("these threads are closed")
        call = _Call(function, argument, self._loop.create_future())
        try:
            with self._lock:
                self._calls += 1
                self._start_thread()
            self._waiting.put(call)
            await call.future
        finally:
            self._leave(call)
        if call.error is None:
            return cast("ReturnedT", call.result)
        error, call.error = call.error, None  # the frames that the error holds hold the call
        try:
            raise error
        finally:
            del error

    def close(self) -> None:
        """Stop idle threads now, and the others when their functions return: those are not waited for."""
        self._closed = True
        with contextlib.suppress(Empty):
            while True:
                call = self._waiting.get_nowait()
                if call is not None and not self._loop.is_closed():
                    call.future.cancel()
        self._waiting.put(None)
        until = time.monotonic() + _ENDING
        for thread in tuple(self._ending):
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _start_thread(self) -> None:
        """Start a thread if a call has none and one more is allowed; the caller holds the lock."""
        if self._closed or self._calls <= self._threads or not self._room:
            return
        self._threads += 1
        try:
            thread = threading.Thread(target=self._work, name="flows-worker", daemon=True)
            thread.start()
            self._ending.add(thread)
        except (RuntimeError, MemoryError) as error:
            # The system has no more: calls wait for the threads that there are.
            self._threads -= 1
            if not (self._threads or self._abandoned):
                raise HostUnable(f"no thread can be started for a function: {error}") from error

    @property
    def _room(self) -> bool:
        return self._threads + self._abandoned < self._most + min(self._abandoned, self._spare)

    def _leave(self, call: _Call) -> None:
        """Stop waiting for a call; a function that runs on is abandoned."""
        with self._lock:
            self._calls -= 1
            if call.ended:
                return
            call.dropped = True
            if call.taken:
                self._threads -= 1
                self._abandoned += 1
                self._ending.discard(call.thread)
                self._start_thread()

    def _work(self) -> None:
        """Call one function after another; this runs in the thread."""
        while self._one_call():
            self._notify()
        self._ending.discard(threading.current_thread())

    def _one_call(self) -> bool:
        """Make one call and return whether the thread goes on."""
        call = self._waiting.get()
        if call is None:
            self._waiting.put(None)  # for the next thread
            return False
        with self._lock:
            if call.dropped:
                return True
            call.taken, call.thread = True, threading.current_thread()
        call.run()
        with self._lock:
            call.ended = True
            if not call.dropped:
                self._ended.append(call)
                return True
            self._abandoned -= 1
            goes_on = self._room
            self._threads += goes_on
            if goes_on:
                self._ending.add(call.thread)
            return goes_on

    def _notify(self) -> None:
        """Wake the loop to resolve ended calls, unless that is scheduled already."""
        if not self._notified and self._ended:
            self._notified = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        self._notified = False
        while self._ended:
            call = self._ended.popleft()
            if not call.future.done():
                call.future.set_result(None)
