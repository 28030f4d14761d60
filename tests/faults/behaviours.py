"""Scripted behaviours of the functions under test: a job's `kind` is a small program for them.

A program is behaviours separated by `;`, each `[queue=]verb[:argument][@attempt]`: `slow:0.5`, `children:3;box=raise`,
`gate:go@1;ship=block:2`. One without a queue is for the first queue, `pick`; one with `@1` is for the first attempt in
that queue only. The behaviours of a queue come one after another.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from flows import current_job
from flows.model import verdict


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing that a function does."""

    verb: str
    argument: str
    attempt: int

    @property
    def seconds(self) -> float:
        """Its argument as a time."""
        return float(self.argument or 0)


def parse(kind: str, queue: str, attempt: int) -> list[Behaviour]:
    """Return what a function does by `kind` in an attempt in a queue, which is named by its own name."""
    behaviours = []
    for part in filter(None, kind.split(";")):
        where, mark, what = part.rpartition("=")
        what, _, of = what.partition("@")
        verb, _, argument = what.partition(":")
        behaviour = Behaviour(verb, argument, int(of or 0))
        if (where if mark else "pick") == queue and behaviour.attempt in {0, attempt}:
            assert verb in VERBS, f"{kind!r}: no verb is called {verb!r}"
            behaviours.append(behaviour)
    return behaviours


async def perform(behaviours: list[Behaviour], directory: Path) -> None:
    """Behave so, one after another; `directory` is where gates are files."""
    for behaviour in behaviours:
        done = VERBS[behaviour.verb](behaviour, directory)
        if done is not None:
            await done


def children_of(behaviours: list[Behaviour]) -> int:
    """Return how many children are asked for."""
    return sum(int(behaviour.argument) for behaviour in behaviours if behaviour.verb == "children")


def _nothing(_behaviour: Behaviour, _directory: Path) -> None:
    """Do nothing; children are named in the result."""


def _slow(behaviour: Behaviour, _directory: Path) -> Awaitable[None]:
    """Wait, as a function does that waits for another system."""
    return asyncio.sleep(behaviour.seconds)


def _block(behaviour: Behaviour, _directory: Path) -> None:
    """Block the event loop, without the interpreter's lock."""
    time.sleep(behaviour.seconds)


def _spin(behaviour: Behaviour, _directory: Path) -> None:
    """Block the event loop with work in Python."""
    end, number = time.monotonic() + behaviour.seconds, 0
    while time.monotonic() < end:
        number += sum(range(1000))


def _hold(behaviour: Behaviour, _directory: Path) -> None:
    """Hold the interpreter's lock, as an endless regular expression does: no other thread runs either."""
    ctypes.PyDLL(None).usleep(int(behaviour.seconds * 1_000_000))


async def _gate(behaviour: Behaviour, directory: Path) -> None:
    """Wait until the gate of this name is open: see `open_gate`."""
    while not gate(directory, behaviour.argument).exists():  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.005)


async def _deaf(behaviour: Behaviour, _directory: Path) -> None:
    """Go on for so long, whoever cancels it."""
    end = time.monotonic() + behaviour.seconds
    while time.monotonic() < end:
        try:
            await asyncio.sleep(end - time.monotonic())
        except asyncio.CancelledError:
            continue


def _progress(behaviour: Behaviour, _directory: Path) -> None:
    """Tell how far it is."""
    current_job().progress(float(behaviour.argument), f"fence {current_job().fence}")


def _log(behaviour: Behaviour, _directory: Path) -> None:
    """Log a line on the job."""
    current_job().log(behaviour.argument)


def _raise(behaviour: Behaviour, _directory: Path) -> None:
    raise ValueError(behaviour.argument or "as scripted")


def _retry(behaviour: Behaviour, _directory: Path) -> None:
    raise verdict.Retry("as scripted", after=timedelta(seconds=behaviour.seconds))


def _snooze(behaviour: Behaviour, _directory: Path) -> None:
    raise verdict.Snooze("as scripted", after=timedelta(seconds=behaviour.seconds))


def _fail(_behaviour: Behaviour, _directory: Path) -> None:
    raise verdict.Fail("as scripted")


def _cancel(_behaviour: Behaviour, _directory: Path) -> None:
    raise verdict.Cancel("as scripted")


def _abort(_behaviour: Behaviour, _directory: Path) -> None:
    os.abort()


def _segv(_behaviour: Behaviour, _directory: Path) -> None:
    ctypes.string_at(0)


def _exit(_behaviour: Behaviour, _directory: Path) -> None:
    os._exit(3)


def _kill(_behaviour: Behaviour, _directory: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _overflow(_behaviour: Behaviour, _directory: Path) -> None:
    """Use up the stack: each level goes through C, where Python's own limit does not count."""
    sys.setrecursionlimit(2**31 - 1)
    prototype = ctypes.CFUNCTYPE(None)

    def deeper() -> None:
        call()

    call = prototype(deeper)
    call()


#: The verbs; `children:<n>` is also read where the result is made.
VERBS: Final[dict[str, Callable[[Behaviour, Path], Awaitable[None] | None]]] = {
    "plain": _nothing,
    "children": _nothing,
    "slow": _slow,
    "block": _block,
    "spin": _spin,
    "hold": _hold,
    "gate": _gate,
    "deaf": _deaf,
    "progress": _progress,
    "log": _log,
    "raise": _raise,
    "retry": _retry,
    "snooze": _snooze,
    "fail": _fail,
    "cancel": _cancel,
    "abort": _abort,
    "segv": _segv,
    "overflow": _overflow,
    "exit": _exit,
    "kill": _kill,
}


def gate(directory: Path, name: str) -> Path:
    """Return the file that is a gate, beside the ledger's directory."""
    return directory.parent / f"gate-{name}"


def open_gate(directory: Path, name: str) -> None:
    """Let those who wait at this gate go on, in all processes; `directory` is the ledger's."""
    gate(directory, name).touch()
