"""The event loop of a process's plain callers, in a daemon thread of its own, and the calls that wait for it."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from flows.errors import FlowsError
from flows.kernel.unable import within_limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

CallP = ParamSpec("CallP")
AnswerT = TypeVar("AnswerT")

#: Held while the thread starts; a fork waits for it, so that no child finds it held.
_starting: Final = threading.Lock()
os.register_at_fork(before=_starting.acquire, after_in_parent=_starting.release, after_in_child=_starting.release)


class _LoopThread:
    """A loop that runs in a thread, for as long as its process lives."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.loop.call_soon(started.set)
        try:
            threading.Thread(target=self.loop.run_forever, name="flows-sync", daemon=True).start()
        except BaseException:
            self.loop.close()
            raise
        started.wait()


#: The last one is this process's. A child keeps its parent's, whose loop it must not close: they share what it waits
#: with, and the parent's would wait for ever.
_threads: Final[list[_LoopThread]] = []


def blocking(call: Callable[CallP, Coroutine[Any, Any, AnswerT]], instead: str = "") -> Callable[CallP, AnswerT]:
    """Return a plain function that runs a coroutine function in the loop of plain callers, and waits for it.

    `instead` says what to write where a loop runs that this would block; by default, to await the flow's own method.
    """

    @functools.wraps(call)
    def wait(*args: CallP.args, **kwargs: CallP.kwargs) -> AnswerT:
        loop = _loop()
        if asyncio._get_running_loop() not in {None, loop}:  # noqa: SLF001 - get_running_loop would cost an exception
            name = call.__name__
            raise FlowsError(
                f"a plain {name}(...) would block the event loop that runs in this thread: "
                f"{instead or f'await flow.{name}(...)'}"
            )
        answer = asyncio.run_coroutine_threadsafe(call(*args, **kwargs), loop)
        try:
            return answer.result()
        except BaseException:
            answer.cancel()  # whoever was interrupted waits no more
            raise

    return wait


def iterating(call: Callable[CallP, AsyncIterator[AnswerT]], instead: str) -> Callable[CallP, Iterator[AnswerT]]:
    """Return a plain function that returns an iterator, which waits for each item in the loop of plain callers.

    `instead` says what to write where a loop runs that this would block.
    """

    @functools.wraps(call)
    def iterate(*args: CallP.args, **kwargs: CallP.kwargs) -> Iterator[AnswerT]:
        return _each(call(*args, **kwargs), instead)

    return iterate


def _each(items: AsyncIterator[AnswerT], instead: str) -> Iterator[AnswerT]:
    async def stream() -> tuple[AnswerT] | None:
        async for item in items:
            return (item,)
        return None

    async def close() -> None:
        if isinstance(items, AsyncGenerator):
            await items.aclose()

    wait = blocking(stream, instead)
    try:
        while (found := wait()) is not None:
            yield found[0]
    finally:
        blocking(close, instead)()


async def awaited(call: Callable[[], Coroutine[Any, Any, AnswerT]]) -> AnswerT:
    """Run a coroutine function in the loop of plain callers, and wait for it in another loop, which goes on."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), _loop()))


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop of this process, and start its thread where there is none."""
    threads, process = _threads, os.getpid()
    if not threads or threads[-1].process != process:
        with _starting:
            if not threads or threads[-1].process != process:
                with within_limits("flow.sync cannot start its event loop"):
                    threads.append(_LoopThread())
    return threads[-1].loop
