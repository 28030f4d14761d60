"""Python's garbage collector looks later while workers run, and as before when they have stopped."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from flows.kernel.collector import room_for
from tests.kernel.parts import MakeFlow, double
from tests.waiting import until


@pytest.fixture(autouse=True)
def _threshold() -> Iterator[None]:
    """Give each test the same threshold, and the others what they had."""
    before = gc.get_threshold()
    gc.set_threshold(700)
    yield
    gc.set_threshold(*before)


def young() -> int:
    """Return the threshold that is raised; newer Pythons have no use for the others."""
    return gc.get_threshold()[0]


async def test_workers_make_room_for_what_they_run_at_once(make_flow: MakeFlow) -> None:
    """What two workers ask for adds up, and one that stops takes off what it has added."""
    flow = make_flow(double, count=2, concurrency=50)
    async with flow:
        await until(lambda: young() == 2700)
        await flow.workers[0].stop()
        assert young() == 1700
    assert young() == 700


def test_room_is_given_back_in_any_order() -> None:
    """The first to come may be the first to go; the thresholds for older objects stay."""
    others = gc.get_threshold()[1:]
    first, second = ExitStack(), ExitStack()
    first.enter_context(room_for(10))
    second.enter_context(room_for(20))
    assert gc.get_threshold() == (1300, *others)
    first.close()
    assert gc.get_threshold() == (1100, *others)
    second.close()
    assert gc.get_threshold() == (700, *others)


def test_a_collector_that_is_off_stays_off() -> None:
    """A threshold of 0 switches it off; a worker that comes and goes does not switch it on."""
    gc.set_threshold(0)
    with room_for(10):
        assert young() == 0
    assert young() == 0


@pytest.mark.parametrize("meanwhile", [0, 100, 800, 50_000])
def test_a_threshold_that_the_program_sets_meanwhile_is_kept(meanwhile: int) -> None:
    """Neither of two workers takes anything off it when it stops."""
    with room_for(10), room_for(20):
        gc.set_threshold(meanwhile)
    assert young() == meanwhile


def test_there_is_an_end_to_it() -> None:
    """A concurrency without a limit leaves the collector at work, and within what Python takes."""
    with room_for(sys.maxsize):
        assert young() == 100_700
    assert young() == 700


def test_an_error_gives_the_room_back() -> None:
    """A worker that ends by a fault leaves no trace either."""
    with pytest.raises(ZeroDivisionError), room_for(10):
        raise ZeroDivisionError
    assert young() == 700
