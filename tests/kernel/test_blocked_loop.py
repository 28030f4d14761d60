"""A loop that stands still: the line that blocks it is named at once, and no job that it has claimed is lost."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import Flow, JobRecord
from flows.store.client.packed_script import PackedCall
from flows.telemetry.events import Event, Events
from flows.telemetry.loop_watch import Line, LoopWatch, blocking_line, watch_of
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard
from tests.kernel.test_renewer import elsewhere
from tests.waiting import patient, until

#: In seconds: a lease, which a busy machine must be able to renew in time, and several of them.
LEASE = patient(0.3)
BLOCKED = 2.5 * LEASE


async def ended(
    make_flow: MakeFlow,
    flow: Flow[Work, Given],
    jobs: int,
    begin: Callable[[], Awaitable[None]] | None = None,
) -> list[JobRecord[Given]]:
    """Return how the jobs of a flow end, while another one looks for lost jobs all the time."""
    other, over = make_flow(lease=LEASE), threading.Event()

    async def look_for_lost_jobs() -> None:
        await other.start_all()
        session = await other._runtime.open()
        await session.serve()
        session.rescuer.add("work")
        while not await asyncio.to_thread(over.wait, 0.02):
            await session.rescuer.tick()
        await other.stop_all()

    with elsewhere(look_for_lost_jobs):
        try:
            async with flow:
                if begin is not None:
                    await begin()
                ids = await flow.create_jobs(Given(number=number) for number in range(jobs))
                return [await flow.wait_for(job_id, LONG) for job_id in ids]
        finally:
            over.set()


def assert_undisturbed(records: list[JobRecord[Given]], events: list[Event]) -> None:
    """Each job was done once, by the worker that had claimed it."""
    assert [(record.status, record.attempts, record.view(Answer).answer) for record in records] == [
        ("done", 1, 2 * number) for number in range(len(records))
    ]
    assert {event.name for event in events}.isdisjoint({"job.rescued", "job.lost"})


async def test_neighbours_keep_their_leases(make_flow: MakeFlow) -> None:
    """A function blocks the loop for several leases: the jobs that were claimed with it run once."""

    async def blocking(job: Work) -> Answer:
        if job.number == 0:
            time.sleep(BLOCKED)  # noqa: ASYNC251 - this is what users do
        return await double(job)

    flow = make_flow(blocking, lease=LEASE, concurrency=4)
    events = heard(flow)
    assert_undisturbed(await ended(make_flow, flow, 6), events)


async def test_claims_under_way_keep_their_leases(make_flow: MakeFlow) -> None:
    """The loop stops while the answer of a turn is on its way: the server knows what was claimed."""
    flow = make_flow(double, lease=LEASE, concurrency=4)
    events = heard(flow)
    blocked: list[int] = []

    async def begin() -> None:
        worker_loop = flow.workers[0]._worker_loop
        assert worker_loop is not None
        turns = worker_loop._turns
        await until(lambda: turns._number and not turns.under_way)
        send_at_once = turns._connection.send_at_once

        def sending(call: PackedCall) -> Any:
            sent = send_at_once(call)
            if not blocked and sent is not None:
                blocked.append(turns._number + 1)
                asyncio.get_running_loop().call_soon(time.sleep, BLOCKED)
            return sent

        turns._connection.send_at_once = sending  # type: ignore[method-assign]

    records = await ended(make_flow, flow, 3, begin)
    assert blocked
    assert_undisturbed(records, events)


async def test_a_listener_that_blocks(make_flow: MakeFlow) -> None:
    """The loop stops while an answer is being applied: its jobs are neither on their way nor in flight yet."""
    flow = make_flow(double, lease=LEASE, concurrency=4)
    events = heard(flow)

    def block(event: Event) -> None:
        if event.name == "job.claimed" and len([one for one in events if one.name == "job.claimed"]) == 1:
            time.sleep(BLOCKED)

    flow.events.subscribe(block)
    assert_undisturbed(await ended(make_flow, flow, 3), events)


def slow_library(seconds: float) -> None:
    """Block; this is the line that is named."""
    time.sleep(seconds)


def here(function: Callable[..., Any], offset: int) -> Line:
    """Return a line of a function of this module."""
    code = function.__code__
    return Line(code.co_qualname, str(Path(__file__)), code.co_firstlineno + offset)


async def test_the_line_that_blocks_is_named(make_flow: MakeFlow, caplog: pytest.LogCaptureFixture) -> None:
    """Within a second and a half it stands in the log, once; listeners are told when the loop runs again."""
    caplog.set_level(logging.WARNING, "flows")
    told_after: list[float] = []

    async def blocking(job: Work) -> Answer:
        began = time.monotonic()
        while not told_after and time.monotonic() - began < LONG:
            slow_library(0.02)
            if any("loop.blocked" in record.getMessage() for record in caplog.records):
                told_after.append(time.monotonic() - began)
        slow_library(0.6)
        return await double(job)

    flow = make_flow(blocking)
    events = heard(flow)
    async with flow:
        assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
    (told,) = [event for event in events if event.name == "loop.blocked"]
    assert Line(*(told.fields[name] for name in ("function", "file", "line"))) == here(slow_library, 2)  # type: ignore[arg-type]
    assert "a plain def" in str(told.fields["remedy"])
    assert told_after[0] < patient(1.5)
    assert told.level == logging.WARNING


class Told:
    """A watch of the running loop and what it tells; another thread looks when the test says so."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.watch = LoopWatch()
        self.events = Events(logging.getLogger("flows.test"))
        self.seen: list[Event] = []
        self.events.subscribe(self.seen.append)

    def look(self) -> None:
        """Look from another thread, while this one waits for it."""
        thread = threading.Thread(target=self.watch.look, args=(self.loop, self.events))
        thread.start()
        thread.join()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make the time of the watch one that the test sets."""
    now = [100.0]
    monkeypatch.setattr("flows.telemetry.loop_watch.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


async def test_it_is_told_at_growing_intervals(clock: list[float]) -> None:
    """After a second, then after four times as long each time; a loop that has run since begins anew."""
    told = Told()
    for _ in range(2):
        told.seen.clear()
        for _ in range(400):
            clock[0] += 0.25
            told.look()
        await until(lambda: told.watch._answered and len(told.seen) == 4)
        assert [event.fields["seconds"] for event in told.seen] == [1.2, 5.2, 21.2, 85.2]


async def test_a_stopped_process_blocks_nobody(clock: list[float]) -> None:
    """Its watcher stood still as well: when it goes on, the loop has a second, as it had before."""
    told = Told()
    for _ in range(4):
        told.look()
        clock[0] += 100
    told.look()
    for _ in range(4):
        clock[0] += 0.25
        told.look()
    clock[0] += 0.25
    told.look()
    await until(lambda: told.watch._answered)
    assert [event.fields["seconds"] for event in told.seen] == [1.2]


async def test_a_loop_that_only_waits_is_not_blocked() -> None:
    """A process that was stopped and goes on finds its loop waiting: nobody blocks it."""
    main, loop = threading.get_ident(), asyncio.get_running_loop()
    found: asyncio.Future[Line | None] = loop.create_future()

    def look() -> None:
        time.sleep(0.1)
        loop.call_soon_threadsafe(found.set_result, blocking_line(main))

    thread = threading.Thread(target=look)
    thread.start()
    assert await found is None
    thread.join()


async def test_flows_of_one_loop_share_its_watch(make_flow: MakeFlow) -> None:
    """Only one of them looks; when it stops, another one goes on."""
    first, second = make_flow(double), make_flow(double, lease=LEASE)
    watch = watch_of(asyncio.get_running_loop())
    async with first:
        await until(lambda: watch._owner is first._runtime.session.renewer)
        async with second:
            await first.stop_all()
            await until(lambda: watch._owner is second._runtime.session.renewer)
    assert watch._owner is None
