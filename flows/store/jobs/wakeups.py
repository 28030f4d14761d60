"""Waits for work on a connection of its own: one wake-up key per queue, and one of this process to interrupt the wait.

A wake-up is a sorted set of one member, so wake-ups cannot pile up; popping one wakes exactly one of all workers that
wait. A wake-up carries no job: one that is lost costs the time to the next poll, never a job.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from typing import TYPE_CHECKING, Any, Final

from flows.errors import StoreError
from flows.store.client.wire import ANSWER_TIMEOUT, Disconnected
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flows.store.client.connection import Connection
    from flows.store.keys.jobs import JobKeys
    from flows.telemetry.events import Events

#: Without a wake-up, one idle worker of each queue polls after this many seconds, give or take a quarter.
POLL_SECONDS: Final = 4.0
#: Where nobody listens for so many seconds, since all workers are busy, what is heard besides is waited for alone. Most
#: workers listen again sooner, and cost no command more.
_BUSY: Final = 0.5
#: To the server, a wait of 0 is one without an end.
_SHORTEST_WAIT: Final = 0.01
#: And one that ends so many seconds before its time has not been waited.
_EARLY: Final = 0.1
#: Under this name it has a part in an outage.
_PART: Final = "wakeups"


class Wakeups:
    """Wakes idle workers; each call of `listen` is for one wake-up.

    Args:
        blocking: The connection on which to wait, not a patient one; nothing else is sent on it.
        commands: The connection for all other commands.
        keys: Those of the flow's namespace.
        events: Where it tells that nobody can wait, or that the task has died.
    """

    def __init__(self, blocking: Connection, commands: Connection, keys: JobKeys, events: Events) -> None:
        self._blocking = blocking
        blocking.heard = self._answer_at_once
        self._commands = commands
        self._keys = keys
        self._own = keys.wake(f"own-{os.urandom(8).hex()}")
        self._listening: dict[str, list[Callable[[], None]]] = {}
        self._heard: dict[str, Callable[[], None]] = {}
        self._blocked_on: frozenset[str] = frozenset()
        #: The key whose wake-up was answered as soon as it was read.
        self._answered: str | None = None
        self._changed = asyncio.Event()
        self._events = events
        self._service = Service("wakeups", self._wait_forever, events)
        self._interrupting: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start waiting for wake-ups; starting twice changes nothing."""
        self._service.start()

    async def stop(self) -> None:
        """Stop waiting; stopping twice changes nothing."""
        await self._service.stop()
        await asyncio.gather(*self._interrupting, return_exceptions=True)

    def listen(self, queue: str, on_wake: Callable[[], None]) -> None:
        """Call `on_wake` once, when there may be work in `queue` or it is time to poll."""
        key = self._keys.wake(queue)
        self._listening.setdefault(key, []).append(on_wake)
        self._changed.set()
        if self._blocked_on and key not in self._blocked_on:
            self._beside(self._interrupt())

    def forget(self, queue: str, on_wake: Callable[[], None]) -> None:
        """Cancel a call of `listen` that has not been answered yet."""
        key = self._keys.wake(queue)
        with contextlib.suppress(KeyError, ValueError):
            self._listening[key].remove(on_wake)
            if not self._listening[key]:
                del self._listening[key]

    def pass_on(self, queue: str) -> None:
        """Put back a wake-up of a queue that came to who has no room for its jobs: another process may."""
        self._beside(self._pass_on(self._keys.wake(queue)))

    def hear(self, queue: str, on_wake: Callable[[], None]) -> None:
        """Call `on_wake` at each wake-up of `queue` from the next wait on; where nobody listens, that begins soon."""
        self._heard[self._keys.wake(queue)] = on_wake
        self._changed.set()

    def hear_no_more(self, queue: str) -> None:
        """Undo a call of `hear`."""
        self._heard.pop(self._keys.wake(queue), None)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._interrupting.add(task)
        task.add_done_callback(self._interrupting.discard)

    async def _interrupt(self) -> None:
        with contextlib.suppress(StoreError):
            await self._commands.together([("ZADD", self._own, 0, "w"), ("PEXPIRE", self._own, 10_000)])

    async def _wait_forever(self) -> None:
        now = asyncio.get_running_loop().time
        poll_at = 0.0
        while True:
            if not self._listening and _PART not in self._events.outage:
                await self._until_listened()
                poll_at = 0.0
            # Wake-ups of one queue do not put off the poll of another.
            poll_at = poll_at or now() + random.uniform(0.75, 1.25) * POLL_SECONDS  # noqa: S311 - jitter
            keys = [*self._listening, *self._heard]
            seconds = max(_SHORTEST_WAIT, poll_at - now())
            popped = await self._pop(keys, seconds)
            if popped is None and now() < poll_at - _EARLY:
                # The server cannot be reached, or does not let anybody wait: some proxies answer at once.
                await asyncio.sleep(random.uniform(0.5, 1))  # noqa: S311 - jitter
            if popped is not None and (key := popped[0].decode()) not in {self._answered, self._own}:
                await self._answer(key)
            if (popped is None and _PART not in self._events.outage) or now() >= poll_at:
                poll_at = 0.0
                for key in keys:
                    self._wake(key)

    async def _until_listened(self) -> None:
        """Wait until somebody listens; where something is heard besides, for a moment only."""
        while not self._listening:
            self._changed.clear()
            try:
                async with asyncio.timeout(_BUSY if self._heard else None):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _pop(self, keys: list[str], seconds: float) -> list[bytes] | None:
        """Wait for a wake-up, and return None where none came; tell at once that the server is away, or is back."""
        outage = self._events.outage
        self._blocked_on, self._answered = frozenset(keys), None
        try:
            if _PART in outage:
                await self._blocking.call("PING")  # at once: waiting for a wake-up takes seconds
                outage.over(_PART)
                return None
            popped: list[bytes] | None = await self._blocking.call(
                "BZPOPMIN", self._own, *keys, f"{seconds:.3f}", timeout=seconds + ANSWER_TIMEOUT
            )
        except StoreError as error:
            if isinstance(error.__cause__, Disconnected) or _PART in outage:
                outage.met(_PART, error)
            else:  # its end could not be seen: a replica, or a proxy, answers all else
                why = f"waiting for work failed: {error}"
                self._events.emit_seldom((_PART,), "store.unavailable", error=why)
            return None
        else:
            return popped
        finally:
            self._blocked_on = frozenset()

    def _answer_at_once(self, popped: object) -> None:
        """Wake the worker as soon as the wake-up is read: its claim is on the way before any task goes on."""
        if isinstance(popped, list):
            key = str(popped[0], "utf-8")  # pyright: ignore[reportUnknownArgumentType]
            if key in self._listening:
                self._answered = key
                self._wake(key)

    async def _answer(self, key: str) -> None:
        if key in self._listening:
            self._wake(key)
        elif key in self._heard:
            self._heard[key]()
        else:
            await self._pass_on(key)

    async def _pass_on(self, key: str) -> None:
        """Put back a wake-up to which nobody here listens any more: another process may, or this one soon."""
        with contextlib.suppress(StoreError):
            await self._commands.call("ZADD", key, 0, "w")

    def _wake(self, key: str) -> None:
        """Wake the worker that has listened longest; where that leaves jobs, the script of its turn wakes the next."""
        listeners = self._listening.get(key)
        if not listeners:
            return
        on_wake = listeners.pop(0)
        if not listeners:
            del self._listening[key]
        on_wake()
