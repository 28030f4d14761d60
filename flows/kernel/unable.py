"""What the host cannot do: no job is to blame for it, so its worker hands the job back and rests."""

from __future__ import annotations

import contextlib
import errno
import time
from typing import TYPE_CHECKING, Final

from flows.errors import HostUnable
from flows.model.texts import summary_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from flows.telemetry.events import Events

#: No descriptors are left in this process or on this machine, no memory, or no further process or thread.
_LACKS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
#: How Python says that it was given no thread.
_NO_THREAD: Final = "can't start new thread"
#: The first rest and the longest, in seconds.
_SHORTEST: Final = 1.0
_LONGEST: Final = 60.0


class NeverAble(HostUnable):
    """Nor will it later: what runs the function cannot work as it was declared."""


def is_hosts(error: BaseException) -> bool:
    """Return whether an error says that the machine has nothing left to give."""
    if isinstance(error, RuntimeError):
        return _NO_THREAD in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _LACKS)


@contextlib.contextmanager
def within_limits(what: str) -> Generator[None]:
    """Do what a host may have nothing left for.

    Args:
        what: What is not done then, as a sentence begins.

    Raises:
        HostUnable: it has not.
    """
    try:
        yield
    except Exception as error:
        if not is_hosts(error):
            raise
        raise HostUnable(f"{what}: {summary_of(error)}") from error


class Rest:
    """How long a worker claims nothing after its host was unable: a second, twice as long each time, a minute at most.

    Args:
        queue: The worker's queue.
        events: Where `worker.unable` is emitted.
    """

    def __init__(self, queue: str, events: Events) -> None:
        self._queue = queue
        self._events = events
        self._until = 0.0
        #: How long the last rest was; 0 where a function has begun since.
        self.seconds = 0.0

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return max(0.0, self._until - time.monotonic()) if self.seconds else 0.0

    def begin(self, error: HostUnable) -> None:
        """Rest from now on; where it rests already, this is the same trouble."""
        if not self.left:
            self.seconds = min(_LONGEST, 2 * self.seconds or _SHORTEST)
            self._until = time.monotonic() + self.seconds
        tell_unable(self._events, self._queue, error)

    def end(self) -> None:
        """Work as before: a function has begun."""
        self.seconds = 0.0


def tell_unable(events: Events, queue: str, error: HostUnable) -> None:
    """Emit `worker.unable`, once a minute for each reason."""
    reason = str(error)
    events.emit_seldom((queue, reason), "worker.unable", queue=queue, reason=reason)
