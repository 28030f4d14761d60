"""Threads: bounded, used again, and never in the way of whoever waits for a function, or no longer does."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from flows.errors import HostUnable
from flows.kernel.threads import Threads
from tests.kernel.parts import LONG, within
from tests.waiting import until

seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


class Gate:
    """A function that waits in its thread until the gate is opened; it counts who is in it."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.inside: list[int] = []
        self.threads: set[threading.Thread] = set()

    def __call__(self, number: int) -> int:
        """Wait, and return the number."""
        self.threads.add(threading.current_thread())
        self.inside.append(number)
        assert self.opened.wait(LONG)
        return number

    async def has(self, count: int) -> None:
        """Wait until so many have come in."""
        await until(lambda: len(self.inside) >= count)


@asynccontextmanager
async def pool(most: int, spare: int = 32) -> AsyncIterator[Threads]:
    """Open threads and close them."""
    threads = Threads(most, spare)
    try:
        yield threads
    finally:
        threads.close()


async def gone(task: asyncio.Task[Any]) -> None:
    """Cancel a task, which ends at once."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await within(task, 1)


def where(_argument: object) -> threading.Thread:
    """Return the thread that runs this."""
    return threading.current_thread()


def raising(error: BaseException) -> None:
    """Raise what is given."""
    raise error


async def test_what_returns() -> None:
    """A function runs in a daemon thread, and what it returns comes back."""
    async with pool(1) as threads:
        assert await threads.call(str, 7) == "7"
        thread = await threads.call(where, None)
    assert thread.daemon
    assert thread is not threading.current_thread()


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
async def test_what_raises(kind: type[BaseException]) -> None:
    """Whatever a function raises comes back as it is, and its thread goes on."""
    error = kind("it")
    async with pool(1) as threads:
        first = await threads.call(where, None)
        with pytest.raises(kind) as raised:
            await threads.call(raising, error)
        assert raised.value is error
        assert await threads.call(where, None) is first


async def test_stop_iteration() -> None:
    """StopIteration would silently end the coroutine that awaits it: it is a RuntimeError."""
    async with pool(1) as threads:
        with pytest.raises(RuntimeError, match="the function raised StopIteration"):
            await threads.call(next, iter(()))


async def test_idle_threads_are_used_again() -> None:
    """One call after another needs one thread, however many there may be."""
    async with pool(8) as threads:
        assert len({await threads.call(where, None) for _ in range(50)}) == 1


async def test_never_more_than_allowed() -> None:
    """Of ten calls three run at once, and the others afterwards."""
    gate = Gate()
    async with pool(3) as threads:
        calls = [asyncio.create_task(threads.call(gate, number)) for number in range(10)]
        await gate.has(3)
        assert sorted(gate.inside) == [0, 1, 2]
        gate.opened.set()
        assert await within(asyncio.gather(*calls)) == list(range(10))
    assert len(gate.threads) == 3  # a fourth one, begun while these stood at the gate, would be here, however late


async def test_the_callers_context() -> None:
    """A function sees its caller's context variables, and what it sets is seen by nobody else."""

    def look(new: str) -> str:
        before = seen.get()
        seen.set(new)
        return before

    async with pool(1) as threads:
        seen.set("first")
        assert await threads.call(look, "inside") == "first"
        assert seen.get() == "first"
        seen.set("second")
        assert await threads.call(look, "inside") == "second"


async def test_cancelled_before_it_began() -> None:
    """A call that is cancelled while it waits for a thread is dropped: its function never runs."""
    gate = Gate()
    async with pool(1) as threads:
        first, dropped, third = (asyncio.create_task(threads.call(gate, number)) for number in range(3))
        await gate.has(1)
        await gone(dropped)
        assert threads.abandoned == 0
        gate.opened.set()
        assert await within(asyncio.gather(first, third)) == [0, 2]
    assert gate.inside == [0, 2]


async def test_cancelled_while_it_runs() -> None:
    """A call is released at once when it is cancelled; its thread is replaced until the function returns."""
    hanging, other = Gate(), Gate()
    async with pool(1) as threads:
        task = asyncio.create_task(threads.call(hanging, 1))
        await hanging.has(1)
        await gone(task)
        assert threads.abandoned == 1
        second = asyncio.create_task(threads.call(other, 2))
        await other.has(1)  # in a thread of its own
        hanging.opened.set()
        await until(lambda: threads.abandoned == 0)
        (surplus,) = hanging.threads
        await until(lambda: not surplus.is_alive())
        other.opened.set()
        assert await within(second) == 2
        assert {await threads.call(where, None) for _ in range(3)} == other.threads


async def test_a_call_that_waits_takes_the_place_of_an_abandoned_one() -> None:
    """A call that waits for a thread gets one when the call before it is abandoned."""
    hanging = Gate()
    async with pool(1) as threads:
        task = asyncio.create_task(threads.call(hanging, 1))
        await hanging.has(1)
        waiting = asyncio.create_task(threads.call(where, None))
        await asyncio.sleep(0)
        await gone(task)
        assert await within(waiting) not in hanging.threads
        hanging.opened.set()


async def test_no_more_than_the_spare_ones() -> None:
    """When all spare threads hang too, calls wait until a function returns."""
    hanging = Gate()
    async with pool(1, spare=2) as threads:
        for number in range(3):
            task = asyncio.create_task(threads.call(hanging, number))
            await hanging.has(number + 1)
            await gone(task)
        assert threads.abandoned == 3
        waiting = asyncio.create_task(threads.call(where, None))
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        hanging.opened.set()
        assert await within(waiting) in hanging.threads
        await until(lambda: threads.abandoned == 0)
        await until(lambda: sum(thread.is_alive() for thread in hanging.threads) == 1)


async def test_what_an_abandoned_function_does_is_ignored() -> None:
    """What it returns or raises is told to nobody, and its thread goes on where there is use for it."""
    async with pool(1, spare=0) as threads:
        for ending in (str, raising):
            gate = Gate()

            def late(error: BaseException, gate: Gate = gate, ending: Callable[[Any], Any] = ending) -> None:
                gate(0)
                ending(error)

            task = asyncio.create_task(threads.call(late, ValueError()))
            await gate.has(1)
            await gone(task)
            gate.opened.set()
            assert {await within(threads.call(where, None))} == gate.threads


async def test_one_wake_up_for_many() -> None:
    """Functions that end while the loop is busy wake it once, not each for itself."""
    loop = asyncio.get_running_loop()
    gate, woken = Gate(), 0
    original = loop.call_soon_threadsafe

    def counting(*arguments: Any, **options: Any) -> asyncio.Handle:
        nonlocal woken
        woken += 1
        return original(*arguments, **options)

    async with pool(8) as threads:
        calls = [asyncio.create_task(threads.call(gate, number)) for number in range(8)]
        await gate.has(8)
        loop.call_soon_threadsafe = counting  # type: ignore[method-assign]
        gate.opened.set()
        while len(threads._ended) < 8:
            pass  # the loop is blocked meanwhile
        await within(asyncio.gather(*calls))
        del loop.call_soon_threadsafe
    assert woken == 1


async def test_close() -> None:
    """Closing ends idle threads at once and busy ones when their functions return; what waits is cancelled."""
    gate = Gate()
    threads = Threads(2)
    idle = await threads.call(where, None)
    first, second = (asyncio.create_task(threads.call(gate, number)) for number in range(2))
    await gate.has(2)
    await gone(second)
    third, waiting = (asyncio.create_task(threads.call(gate, number)) for number in (3, 4))
    await gate.has(3)
    threads.close()
    with pytest.raises(asyncio.CancelledError):
        await within(waiting)
    with pytest.raises(RuntimeError, match="closed"):
        await threads.call(where, None)
    gate.opened.set()
    assert await within(asyncio.gather(first, third)) == [0, 3]
    await until(lambda: not any(thread.is_alive() for thread in {idle, *gate.threads}))
    assert sorted(gate.inside) == [0, 1, 3]


async def test_idle_threads_end() -> None:
    """Threads that have nothing to do end when they are closed."""
    gate = Gate()
    async with pool(4) as threads:
        calls = [asyncio.create_task(threads.call(gate, number)) for number in range(4)]
        await gate.has(4)
        gate.opened.set()
        await within(asyncio.gather(*calls))
    await until(lambda: not any(thread.is_alive() for thread in gate.threads))


def test_a_loop_that_is_closed() -> None:
    """A function that ends after its loop was closed disturbs nobody: its thread ends without a word."""
    loop = asyncio.new_event_loop()
    gate = Gate()
    started: list[tuple[Threads, asyncio.Task[int]]] = []

    async def begin() -> None:
        threads = Threads(1)
        started.append((threads, asyncio.get_running_loop().create_task(threads.call(gate, 1))))
        await gate.has(1)

    loop.run_until_complete(begin())
    loop.close()
    (threads, task) = started[0]
    gate.opened.set()
    threads.close()
    (thread,) = gate.threads
    thread.join(LONG)  # pytest makes an error of what a thread raises
    assert not thread.is_alive()
    task.get_coro().close()  # type: ignore[union-attr]
    task._log_destroy_pending = False  # type: ignore[attr-defined]


async def test_no_more_threads_in_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no more threads, a call waits for one that is there, and fails where there is none."""

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    gate = Gate()
    async with pool(2) as threads:
        first = asyncio.create_task(threads.call(gate, 1))
        await gate.has(1)
        monkeypatch.setattr(threading.Thread, "start", refused)
        second = asyncio.create_task(threads.call(gate, 2))
        gate.opened.set()
        assert await within(asyncio.gather(first, second)) == [1, 2]
        async with pool(1) as others:
            with pytest.raises(HostUnable, match="can't start new thread"):
                await others.call(where, None)
            monkeypatch.undo()
            await within(others.call(where, None))


async def test_nothing_is_kept() -> None:
    """An idle thread keeps neither the argument of its last call nor what came of it, nor does an error."""

    class Big:
        pass

    class Bad(Exception):
        pass

    def fail(_big: Big) -> None:
        raise Bad

    async def one_call(threads: Threads, function: Callable[[Big], object]) -> list[weakref.ref[Any]]:
        big = Big()
        try:
            await threads.call(function, big)
        except Bad as error:
            return [weakref.ref(big), weakref.ref(error)]
        return [weakref.ref(big)]

    gc.disable()
    try:
        async with pool(1) as threads:
            kept = [*await one_call(threads, id), *await one_call(threads, fail)]
            await until(lambda: [reference() for reference in kept] == [None] * 3)
    finally:
        gc.enable()


#: The loop ends, as does the interpreter, while a function hangs.
HANGING = """
import asyncio, threading
from flows.kernel.threads import Threads

begun = threading.Event()

def hang(_job):
    begun.set()
    threading.Event().wait()

async def main():
    threads = Threads(1)
    task = asyncio.create_task(threads.call(hang, None))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    threads.close()

asyncio.run(main())
print("over")
"""


def test_the_interpreter_exits() -> None:
    """A function that hangs keeps no process from ending."""
    ended = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=LONG, check=True)
    assert (ended.stdout, ended.stderr) == ("over\n", "")


async def test_idle_threads_have_ended_when_these_are_closed() -> None:
    """Whoever has stopped a worker finds no thread of it; a function that still runs keeps its own."""
    before, gate = {*threading.enumerate()}, Gate()
    threads = Threads(3)
    await within(asyncio.gather(*(threads.call(where, None) for _ in range(3))))
    running = asyncio.create_task(threads.call(gate, 1))
    await gate.has(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    threads.close()
    assert {*threading.enumerate()} - before == gate.threads
    gate.opened.set()
    for thread in gate.threads:
        thread.join(LONG)
