"""Says where the tasks and threads of this process are: files, lines and functions, and no value of any of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

#: So many tasks are looked at, so many stacks that differ are told, and of each the innermost frames.
_TASKS: Final = 5000
_STACKS: Final = 100
_FRAMES: Final = 20
_BYTES: Final = 64 * 1024
#: A coroutine, a generator and an asynchronous one: where each is, and what it waits for.
_KINDS: Final = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))

#: What it is, and its frames from the outermost.
_Stack = tuple[str, tuple[str, ...]]


def stacks_text(loop: asyncio.AbstractEventLoop | None) -> str:
    """Return the stacks as a JSON object, equal ones once with their number; any thread may ask.

    Args:
        loop: Whose tasks are told; None: those of none.
    """
    tasks = [] if loop is None else _tasks(loop)
    told: Counter[_Stack] = Counter(("task", _of_task(task)) for task in itertools.islice(tasks, _TASKS))
    own = threading.get_ident()
    frames = sys._current_frames()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - documented, as are its uses
    for ident, frame in frames.items():
        if ident != own:
            kind = "main thread" if ident == threading.main_thread().ident else "thread"
            told[kind, _of_frame(frame)] += 1
    kinds = {"main thread": 0, "thread": 1, "task": 2}
    stacks = [
        {"kind": kind, "count": count, "frames": list(stack)}
        for (kind, stack), count in sorted(told.items(), key=lambda one: (kinds[one[0][0]], -one[1]))
    ]
    return _fitting({"tasks": len(tasks), "cut": len(stacks) > _STACKS or len(tasks) > _TASKS}, stacks[:_STACKS])


def _fitting(about: dict[str, Any], stacks: list[dict[str, Any]]) -> str:
    while True:
        text = json.dumps({**about, "stacks": stacks}, separators=(",", ":"))
        if len(text) <= _BYTES or not stacks:
            return text
        about["cut"] = True
        del stacks[len(stacks) // 2 :]


def _tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    try:
        return list(asyncio.all_tasks(loop))
    except RuntimeError:  # they came and went too fast for another thread
        return []


def _of_task(task: asyncio.Task[Any]) -> tuple[str, ...]:
    return tuple(_named(frame) for frame in _chain(task.get_coro()))[-_FRAMES:]


def _chain(awaited: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of what it awaits, from the outermost."""
    for _depth in range(1000):
        names = next((names for names in _KINDS if hasattr(awaited, names[0])), None)
        if names is None:
            return
        frame: FrameType | None = getattr(awaited, names[0])
        if frame is not None:
            yield frame
        awaited = getattr(awaited, names[1])


def _of_frame(frame: FrameType | None) -> tuple[str, ...]:
    found: list[str] = []
    while frame is not None and len(found) < _FRAMES:
        found.append(_named(frame))
        frame = frame.f_back
    return tuple(reversed(found))


def _named(frame: FrameType) -> str:
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} {code.co_qualname}"[:300]
