"""Resources of worker functions: what a lifespan opens, once per process, for all workers that name it.

Each is opened and closed in a task of its own, which stays inside of the lifespan meanwhile: what a lifespan holds open
(a task group, a timeout) belongs to the task that has entered it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from flows.errors import HostUnable
from flows.kernel.current import outside_of_jobs
from flows.kernel.deadlines import GRACE
from flows.kernel.unable import Rest
from flows.model.texts import summary_of

if TYPE_CHECKING:
    from flows.telemetry.events import Events

#: A function that returns an async context manager; what that brings is the resource.
Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[Any]]

#: The resources of each event loop, by their lifespans: one that was made in a loop belongs to it.
_resources: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, Resource]]] = WeakKeyDictionary()
#: The resource whose lifespan runs in this context.
_keeping: Final[ContextVar[Resource | None]] = ContextVar("flows_resource", default=None)


class Resource:
    """One resource: open while any worker holds it; opened again where it has failed."""

    def __init__(self, lifespan: Lifespan, name: str | None = None) -> None:
        self._lifespan = lifespan
        self._name = name_of(lifespan) if name is None else name
        self._holders = 0
        self._keeper: asyncio.Task[None] | None = None
        #: Ends when the opening under way has ended; and set when nobody needs the resource any more.
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enough = asyncio.Event()
        self._is_open = False
        self._value: Any = None

    @property
    def value(self) -> Any:
        """What the lifespan has brought.

        Raises:
            HostUnable: it has ended by itself, and is being opened again.
        """
        if not self._is_open:
            self._start()
            raise HostUnable(f"the resource {self._name} is not open")
        return self._value

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks is its lifespan, or a task that this has started."""
        return _keeping.get() is self

    async def hold(self, events: Events, queue: str, stopping: asyncio.Event) -> None:
        """Hold the resource and wait until it is open, or `stopping` is set; an opening that fails is tried again."""
        self._holders += 1
        self._events = events
        rest = Rest(queue, events)
        while not stopping.is_set():
            try:
                await self._open(stopping)
            except HostUnable as error:
                rest.begin(error)
                await _either(stopping.wait(), asyncio.sleep(rest.left))
            else:
                return

    async def take(self, events: Events) -> None:
        """Hold the resource where it is open, or opens now.

        Raises:
            HostUnable: it cannot be opened; then it is not held.
        """
        self._holders += 1
        self._events = events
        if self._is_open:
            return
        try:
            await self._open(asyncio.Event())
        except BaseException:
            self._holders -= 1
            raise

    async def release(self, *, hurried: bool) -> None:
        """Hold it no more; whoever is the last waits until it is closed.

        Where that is hurried, or is cancelled, the lifespan is cancelled too, and has GRACE seconds to end.
        """
        self._holders -= 1
        keeper = self._keeper
        if self._holders or keeper is None:
            return
        if self._is_open and not hurried:
            self._enough.set()
        else:
            keeper.cancel()
        try:
            await asyncio.wait({keeper}, timeout=GRACE if hurried else None)
        except asyncio.CancelledError:
            keeper.cancel()
            await asyncio.wait({keeper}, timeout=GRACE)
            raise

    async def _open(self, stopping: asyncio.Event) -> None:
        """Wait until it is open, or `stopping` is set; raises HostUnable where it could not be opened."""
        while self._keeper is not None and self._enough.is_set():
            await asyncio.wait({self._keeper})  # it is just being closed
        self._start()
        opened = self._opened
        await _either(asyncio.wait({opened}), stopping.wait())
        if opened.done():
            opened.result()

    def _start(self) -> None:
        if self._keeper is not None:
            return
        loop = asyncio.get_running_loop()
        self._opened = loop.create_future()
        self._opened.add_done_callback(lambda opened: opened.cancelled() or opened.exception())  # nobody need ask
        self._enough = asyncio.Event()
        context = outside_of_jobs()
        context.run(_keeping.set, self)
        self._keeper = context.run(loop.create_task, self._keep(self._opened, self._enough))

    async def _keep(self, opened: asyncio.Future[None], enough: asyncio.Event) -> None:
        """Enter the lifespan, stay until nobody needs it, and leave it."""
        try:
            async with _entered(self._lifespan, self._name) as value:
                self._value, self._is_open = value, True
                opened.set_result(None)
                await enough.wait()
                self._is_open = False
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except asyncio.CancelledError:
            if not opened.done():
                opened.set_exception(HostUnable(f"the resource {self._name} is not opened any more"))
            raise
        except BaseException as error:  # noqa: BLE001 - it is user code, whatever it raises
            why = summary_of(error)
            if not opened.done():
                opened.set_exception(HostUnable(f"the resource {self._name} cannot be opened: {why}"))
            elif enough.is_set():
                self._events.emit("resource.failed", resource=self._name, error=f"it could not be closed: {why}")
            else:
                self._events.emit("resource.failed", resource=self._name, error=f"it has ended by itself: {why}")
        finally:
            self._is_open, self._value, self._keeper = False, None, None


def resource_of(lifespan: Lifespan) -> Resource:
    """Return the resource of a lifespan: the same one for all workers of this event loop that name it."""
    resources = _resources.setdefault(asyncio.get_running_loop(), {})
    try:
        key: object = (lifespan, hash(lifespan))
    except TypeError:  # a callable object that cannot be hashed
        key = id(lifespan)
    if key not in resources:
        resources[key] = Resource(lifespan)
    return resources[key]


def name_of(lifespan: object) -> str:
    """Return what a lifespan is called in messages."""
    return getattr(lifespan, "__qualname__", None) or type(lifespan).__name__


def _entered(lifespan: Lifespan, name: str) -> AbstractAsyncContextManager[Any]:
    context = lifespan()
    if not hasattr(context, "__aenter__"):
        raise TypeError(f"{name} brings no async context manager: decorate it with contextlib.asynccontextmanager")
    return context


async def _either(*waits: Any) -> None:
    """Wait until one of these has ended."""
    tasks = {asyncio.ensure_future(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
