"""Lets something go wrong at a point of the code, in the workers of this process."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from flows.telemetry.failpoints import POINTS, InjectedFault, struck

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from flows.testing.programs import Program

#: What goes wrong: an exception is raised, or the worker is gone as if its process had been killed.
Action: TypeAlias = Literal["raise", "lose"]


@contextmanager
def fault(programs: Sequence[Program], point: str, action: Action, times: int) -> Generator[None]:
    """Let something go wrong at a point, so many times, while the context lasts.

    Raises:
        ValueError: there is no such point, or no such action.
    """
    if point not in POINTS:
        raise ValueError(f"there is no point {point!r}; the points are {', '.join(sorted(POINTS))}")
    if action not in ("raise", "lose"):
        raise ValueError(f"a fault cannot {action!r}: it can 'raise' or 'lose'")
    left = times

    def strike() -> None:
        nonlocal left
        if left <= 0:
            return
        left -= 1
        if action == "lose":
            for program in programs:
                for worker in program.workers:
                    if worker._task is not None:
                        worker._task.get_loop().call_soon_threadsafe(worker._task.cancel)
        raise InjectedFault(point)

    with struck(point, strike):
        yield
