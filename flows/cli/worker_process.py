"""One process of `flows run`: loads flows, runs their workers, and ends when it is told to, or has done its part.

It is started by the supervisor as a fresh interpreter, and ends as well when that has gone: its end of a pipe closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from flows.cli.loading import load
from flows.errors import DeclarationError, FlowsError
from flows.kernel.fleet.memory import resident_bytes
from flows.pipeline.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.pipeline.flow import Flow

#: How often a process looks whether its part is done, in seconds.
_LOOK: Final = 0.25
#: So many looks in a row find nothing to do before all is done.
_LOOKS: Final = 3


@dataclass(frozen=True)
class Work:
    """What a process does.

    Args:
        targets: `module:name` of each flow.
        queues: Only these; none: all.
        grace: After so many seconds what still runs is cancelled and released.
        burst: Whether it ends when nothing waits and nothing runs.
        max_jobs: After so many attempts it asks to be replaced; 0: never.
        max_rss: With so many bytes of memory it asks to be replaced; 0: never.
    """

    targets: tuple[str, ...]
    queues: tuple[str, ...] = ()
    grace: float = 30.0
    burst: bool = False
    max_jobs: int = 0
    max_rss: int = 0

    def dump(self) -> str:
        """Return it as an argument of a process."""
        return TypeAdapter(type(self)).dump_json(self).decode()

    @classmethod
    def parse(cls, text: str) -> Work:
        """Return what `dump` has written."""
        return TypeAdapter(cls).validate_json(text)


def main(text: str, control: int, beside: Callable[[list[Any]], None] | None = None) -> int:
    """Run the process and return its exit status.

    Args:
        text: The work.
        control: A descriptor on which it asks to be replaced; -1: there is no supervisor.
        beside: Begins what the process does besides, for its flows; not in a burst, which has an end.
    """
    work = Work.parse(text)
    try:
        flows = [_restricted(load(target), work) for target in work.targets]
    except FlowsError as error:
        sys.stderr.write(f"flows: {error}\n")
        return 2
    if control >= 0:
        threading.Thread(target=_end_with_supervisor, daemon=True, name="flows-supervised").start()
    part = _Part(work, flows, control)
    part.begin()
    if beside is not None and not work.burst:
        beside(flows)
    return run(*flows, grace=work.grace)


def _restricted(flow: Any, work: Work) -> Any:
    if work.queues:
        if not hasattr(flow, "serve_only"):
            raise DeclarationError("--queue is for flows: an app serves workflows by app.create_workers([...])")
        flow.serve_only(*work.queues)
    return flow


def _end_with_supervisor() -> None:
    """Wait until the supervisor closes stdin, which it does at its end, however that comes."""
    with contextlib.suppress(OSError):
        while os.read(0, 1):  # not by sys.stdin: its lock would break the interpreter's end
            pass
    os.kill(os.getpid(), signal.SIGTERM)


class _Part:
    """How much a process does before it ends, or asks to be replaced."""

    def __init__(self, work: Work, flows: list[Any], control: int) -> None:
        self._work = work
        self._flows = flows
        self._control = control
        self._attempts = 0
        self._asked = False
        self._bursts: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Look at what the flows do, from when they run."""
        if self._work.max_jobs or self._work.max_rss:
            for flow in self._flows:
                flow.events.attempts.listen(self._count)
        if self._work.burst:
            for flow in self._flows:
                flow.events.subscribe(partial(self._end_when_done, flow), "flow.started")

    def _count(self, _attempt: object) -> None:
        self._attempts += 1
        full = 0 < self._work.max_jobs <= self._attempts
        heavy = self._work.max_rss > 0 and self._attempts % 100 == 1 and (resident_bytes() or 0) > self._work.max_rss
        if (full or heavy) and not self._asked:
            self._asked = True
            if self._control >= 0:
                os.write(self._control, b"r")
            else:
                os.kill(os.getpid(), signal.SIGTERM)

    def _end_when_done(self, flow: Flow[Any, Any, Any], _event: object) -> None:
        self._bursts.add(asyncio.get_running_loop().create_task(_end_when_done(flow)))


async def _end_when_done(flow: Any) -> None:
    looks = 0
    queues = sorted({worker.queue for worker in flow.workers})
    while looks < _LOOKS:
        await asyncio.sleep(_LOOK)
        with contextlib.suppress(FlowsError):
            states = await asyncio.gather(*(flow.queue(queue).state() for queue in queues))
            looks = 0 if any(one.waiting or one.processing for one in states) else looks + 1
    await flow.stop_all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
