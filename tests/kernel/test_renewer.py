"""Leases: kept while the function runs, even with a blocked loop, and lost when the process is as good as dead."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from redis import Redis

from flows import Flow, StoreUnavailable, current_job
from flows.kernel.renewer import Renewer
from flows.store.jobs.leases import LeaseRenewal
from flows.telemetry.events import Event, Events
from flows.telemetry.loop_watch import watch_of
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, within
from tests.waiting import patient, until


@contextmanager
def elsewhere(work: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """Run a coroutine in a thread with a loop of its own, as another process would, and wait for it in the end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert failures == []


async def test_a_blocked_loop_keeps_its_leases(make_flow: MakeFlow) -> None:
    """An async function that blocks the loop for longer than a lease runs once: a thread renews, nobody rescues."""
    attempts: list[int] = []
    lease = patient(2)
    begun, over = threading.Event(), threading.Event()

    async def blocking(job: Work) -> Answer:
        attempts.append(job.attempt)
        begun.set()
        time.sleep(1.3 * lease)  # noqa: ASYNC251 - this is what users do
        return await double(job)

    other, rescued = make_flow(lease=lease), list[Event]()

    async def look_for_lost_jobs() -> None:
        await other.start_all()
        told = heard(other)
        other._runtime.session.rescuer.add("work")
        begun.wait(LONG)
        while not await asyncio.to_thread(over.wait, 0.02):
            await other._runtime.session.rescuer.tick()
        rescued.extend(event for event in told if event.name == "job.rescued")
        await other.stop_all()

    flow = make_flow(blocking, lease=lease)
    events = heard(flow)
    with elsewhere(look_for_lost_jobs):
        async with flow:
            done = await flow.wait_for(await flow.create_job(Given(number=1)), LONG)
        over.set()
    assert (done.status, attempts, rescued) == ("done", [1], [])
    assert {event.name for event in events}.isdisjoint({"job.rescued", "job.lost", "loop.hangs"})


async def test_a_long_function_keeps_its_lease(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """While a function runs for longer than a lease, that is in the future all the time, even just before renewals."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    left: list[float] = []

    async def long(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    async with make_flow(long, lease=patient(1)) as flow:
        renewal = flow._runtime.session.renewer._renewal
        renew = renewal.renew

        def watched(queue: str, worker: str, held: list[tuple[str, int]]) -> list[str]:
            seconds, micros = redis.time()
            lease = redis.zscore(f"{namespace}queue:work:processing", held[0][0])
            left.append(0 if lease is None else lease - seconds * 1000 - micros // 1000)
            return renew(queue, worker, held)

        renewal.renew = watched  # type: ignore[method-assign]
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        await until(lambda: len(left) >= 5)
        assert min(left) > 0
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).attempts == 1


async def test_a_loop_that_hangs_loses_its_leases(make_flow: MakeFlow) -> None:
    """A loop that hangs for longer than hang_limit is given up: another flow object rescues the job and does it.

    What the first one writes when it wakes is refused.
    """
    attempts: list[str] = []
    hung, rescued = threading.Event(), threading.Event()

    async def hanging(_job: Work) -> Answer:
        attempts.append("hanging")
        hung.set()
        rescued.wait(LONG)  # the loop stands still
        return Answer(answer=-1)

    async def helping(job: Work) -> Answer:
        attempts.append("helping")
        return await double(job)

    other, ids = make_flow(helping, lease=patient(0.3)), list[str]()

    async def help_out() -> None:
        hung.wait(LONG)
        async with other:
            assert (await other.wait_for(ids[0], LONG)).view(Answer).answer == 2
        rescued.set()

    flow = make_flow(hanging, lease=patient(0.3), hang_limit=timedelta(seconds=patient(0.4)))
    async with flow:
        lost = asyncio.create_task(flow.events.wait_for("job.lost"))
        hangs = asyncio.create_task(flow.events.wait_for("loop.hangs"))
        await asyncio.sleep(0)
        with elsewhere(help_out):
            ids.append(await flow.create_job(Given(number=1)))
            await within(hangs)
            assert (await within(lost)).fields["job_id"] == ids[0]
        record = await flow.wait_for(ids[0], LONG)
    assert attempts == ["hanging", "helping"]
    assert record.view(Answer).answer == 2


async def test_a_lost_lease_cancels_the_function(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """When the job belongs to somebody else, the function is cancelled, and nothing of it is written."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def robbed(_job: Work) -> Answer:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert current_job().cancelled
            ended.set()
        raise AssertionError

    flow = make_flow(robbed, lease=2)
    async with flow:
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        lost = asyncio.create_task(flow.events.wait_for("job.lost", job_id=job_id))
        await asyncio.sleep(0)
        key = f"{namespace}job:numbers:{job_id}"
        redis.hset(key, mapping={"_attempt": "9 other 1 0 0 0 -"})
        redis.zadd(f"{namespace}queue:work:processing", {job_id: 9_999_999_999_999})
        before = redis.hgetall(key)
        await within(lost)
        await within(ended.wait())
        await flow.workers[0].stop()
        assert redis.hgetall(key) == before


def deafen(flow: Flow[Work, Given]) -> None:
    """Let the flow hear no message that a job of its queue is cancelled, as if pub/sub were off."""
    session = flow._runtime.session
    session.signals.unsubscribe(session.settings.keys.cancel("work"), session.renewer.poke)


def answers_of(flow: Flow[Work, Given]) -> list[list[str]]:
    """Return the list to which each answer that the flow's renewer gets from now on is added."""
    answers: list[list[str]] = []
    renewal = flow._runtime.session.renewer._renewal
    renew = renewal.renew

    def watched(queue: str, worker: str, held: list[tuple[str, int]]) -> list[str]:
        answers.append(renew(queue, worker, held))
        return answers[-1]

    renewal.renew = watched  # type: ignore[method-assign]
    return answers


async def endless(job: Work) -> Answer:
    """Run until cancelled, but for the number 0."""
    if job.number:
        await asyncio.Event().wait()
    return await double(job)


async def test_cancel_of_a_running_job(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """A running job is cancelled in a moment, far from its next renewal; its worker goes on."""
    async with make_flow(endless, lease=120) as flow:
        claimed = asyncio.create_task(flow.events.wait_for("job.claimed"))
        await asyncio.sleep(0)
        job_id = await flow.create_job(Given(number=1))
        await within(claimed)
        assert await flow.cancel_job(job_id, "not wanted") == "requested"
        assert (await flow.wait_for(job_id, LONG)).status == "cancelled"
        assert redis.hget(f"{namespace}job:numbers:{job_id}", "_reason") == "not wanted"
        assert (await flow.wait_for(await flow.create_job(Given(number=0)), LONG)).status == "done"


async def test_cancel_of_a_running_job_without_a_message(make_flow: MakeFlow) -> None:
    """The flag alone is enough: it is seen at the next renewal, a quarter of the lease later at most."""
    async with make_flow(endless, lease=2) as flow:
        words = answers_of(flow)
        claimed = asyncio.create_task(flow.events.wait_for("job.claimed"))
        await asyncio.sleep(0)
        job_id = await flow.create_job(Given(number=1))
        await within(claimed)
        deafen(flow)
        assert await flow.cancel_job(job_id) == "requested"
        before = len(words)
        assert (await flow.wait_for(job_id, LONG)).status == "cancelled"
    assert ["cancel"] in words[: before + 2]  # one may have been under way


async def test_a_message_alone_cancels_nothing(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Whoever can publish cannot cancel: the message only lets the worker look, and the flag decides."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waiting(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    async with make_flow(waiting, lease=120) as flow:
        answers = answers_of(flow)
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        await until(lambda: redis.spublish(f"{namespace}flows:cancel:work", job_id))  # it has subscribed
        await until(lambda: answers)
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert {word for words in answers for word in words} == {"kept"}


class Shelf:
    """A holder of leases."""

    queue = "work"
    worker_id = "w1"

    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.answered: list[tuple[str, int, str]] = []
        self.looks = 0

    def under_way(self) -> int:
        """Return that no claim is under way."""
        return 0

    def held(self) -> list[tuple[str, int]]:
        """Return what it holds."""
        self.looks += 1
        return [(job_id, 1) for job_id in self.ids]

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Keep the answer."""
        self.answered.append((job_id, fence, word))


class Calls:
    """A renewal that keeps what it was asked, and finds that each job `x…` is to be cancelled."""

    def __init__(self) -> None:
        self.ids: list[list[str]] = []
        self.waits = Waits()

    def renew(self, _queue: str, _worker: str, held: list[tuple[str, int]]) -> list[str]:
        """Keep the ids."""
        self.ids.append([job_id for job_id, _fence in held])
        return ["cancel" if job_id.startswith("x") else "kept" for job_id, _fence in held]

    def connect(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    async def until(self, number: int) -> None:
        """Wait for so many calls."""
        await until(lambda: len(self.ids) >= number)


class Waits(threading.Event):
    """An event that tells for how long it was waited for, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Keep the timeout and wait."""
        self.seconds.append(timeout)
        return super().wait(timeout)


@asynccontextmanager
async def renewer(*shelves: Shelf, lease: float = 120) -> AsyncIterator[tuple[Renewer, Calls]]:
    """Run a renewer of these leases."""
    calls = Calls()
    renewer = Renewer(cast("LeaseRenewal", calls), lease, 600, Events(logging.getLogger("flows")))
    renewer._poked = calls.waits
    watch_of(asyncio.get_running_loop()).is_for("somebody else")  # so that it wakes for leases alone
    for shelf in shelves:
        renewer.add(shelf)
    await renewer.start()
    yield renewer, calls
    await renewer.stop()


async def test_a_poke_renews_what_is_held_and_nothing_else() -> None:
    """Every process of a queue hears of all its jobs: who does not hold one asks nothing."""
    one, other = Shelf("a", "x1", "b"), Shelf("c")
    async with renewer(one, other) as (renews, calls):
        renews.poke("elsewhere")
        renews.poke("x1")
        await calls.until(1)
        renews.poke(None)
        await calls.until(3)
        # It rests until the next poke: it has looked once for each time that it was woken.
        await until(lambda: len(calls.waits.seconds) == one.looks + 1 and not calls.waits.is_set())
        assert cast("float", calls.waits.seconds[-1]) > 20
    assert calls.ids[0] == ["x1"]
    assert sorted(calls.ids[1:]) == [["a", "x1", "b"], ["c"]]
    assert (one.answered, other.answered) == ([("x1", 1, "cancel")] * 2, [])


async def test_many_pokes_are_answered_together() -> None:
    """The first at once, then about twenty times a second, and each job is asked for once."""
    ids = [f"a{number}" for number in range(500)]
    async with renewer(Shelf(*ids)) as (renews, calls):
        began = time.monotonic()
        for start in range(0, 500, 50):
            for job_id in ids[start : start + 50]:
                renews.poke(job_id)
            await until(lambda: sum(map(len, calls.ids)) >= start + 50)  # noqa: B023 - it is awaited here
        took = time.monotonic() - began
    assert sorted(job_id for asked in calls.ids for job_id in asked) == sorted(ids)
    assert len(calls.ids) <= took / 0.05 + 1


async def test_pokes_do_not_put_off_the_renewals() -> None:
    """However often it is poked, each lease is renewed every quarter of its time."""
    async with renewer(Shelf("a", "b"), lease=0.8) as (renews, calls):
        await until(lambda: renews.poke("a") or calls.ids.count(["a", "b"]) >= 4)


async def test_a_poke_shortly_before_a_renewal_does_not_put_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the next renewal stands."""
    clock = [1000.0]
    monkeypatch.setattr("flows.kernel.renewer.time", SimpleNamespace(monotonic=lambda: clock[0]))
    async with renewer(Shelf("a", "b"), lease=120) as (renews, calls):
        waits = calls.waits
        await until(lambda: waits.seconds == [30])
        clock[0] += 20
        renews.poke("a")
        await until(lambda: len(waits.seconds) == 2)
        assert waits.seconds[1] == 10
        clock[0] += 10
        waits.set()
        await calls.until(2)
    assert calls.ids == [["a"], ["a", "b"]]


async def test_a_holder_that_leaves_in_the_middle_of_a_renewal() -> None:
    """Its worker stops while the server does not answer: the thread goes on for the others."""
    leaving, staying = Shelf("a"), Shelf("b")
    async with renewer(leaving, staying, lease=0.4) as (renews, calls):
        renew = calls.renew

        def fails(queue: str, worker: str, held: list[tuple[str, int]]) -> list[str]:
            renew(queue, worker, held)
            renews.remove(leaving)
            raise ConnectionError

        calls.renew = fails  # type: ignore[method-assign]
        await calls.until(4)
    assert ["b"] in calls.ids


async def test_who_stops_renews_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end comes at once, and in the middle of pokes too."""
    monkeypatch.setattr("flows.kernel.renewer._BETWEEN_POKES", 20)
    async with renewer(Shelf("a")) as (renews, calls):
        renews.poke("a")
        await calls.until(1)
        renews.poke("a")
        await within(renews.stop(), 10)
        assert calls.ids == [["a"]]


async def test_who_stops_while_pokes_are_taken_up_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells the thread of its end may come just before it has taken up the pokes: they are the same event."""
    async with renewer(Shelf("a"), lease=40_000) as (renews, calls):
        answer = renews._answer_pokes

        def answered() -> None:
            renews.forsake()
            answer()

        monkeypatch.setattr(renews, "_answer_pokes", answered)
        thread = renews._thread
        assert thread
        renews.poke("a")
        await within(asyncio.to_thread(thread.join))
        assert calls.ids == [["a"]]


async def test_a_function_that_is_quicker_than_its_cancellation(make_flow: MakeFlow) -> None:
    """A job that ended before its worker heard of the cancellation is done: the work is there."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def quick(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    async with make_flow(quick, lease=30) as flow:
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        deafen(flow)
        assert await flow.cancel_job(job_id) == "requested"
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).status == "done"


async def test_it_does_not_start_without_its_connection() -> None:
    """Whoever would claim jobs is told, and there is no thread; the next start tries again."""
    calls, away = Calls(), True

    def connect() -> None:
        if away:
            raise StoreUnavailable("no room")

    calls.connect = connect  # type: ignore[method-assign]
    renewer = Renewer(cast("LeaseRenewal", calls), 120, 600, Events(logging.getLogger("flows")))
    with pytest.raises(StoreUnavailable, match="no room"):
        await renewer.start()
    assert renewer._thread is None
    away = False
    await renewer.start()
    assert renewer._thread is not None
    await renewer.stop()


async def test_a_start_that_is_cancelled_leaves_no_connection(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that connects goes on after that: what it has opened, it closes."""
    entered, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    renewals: list[LeaseRenewal] = []
    connect = LeaseRenewal.connect

    def slowly(renewal: LeaseRenewal) -> None:
        renewals.append(renewal)
        entered.set()
        go_on.wait(LONG)
        try:
            connect(renewal)
        finally:
            ended.set()

    monkeypatch.setattr(LeaseRenewal, "connect", slowly)
    flow = make_flow(double)
    starting = asyncio.create_task(flow.start_all())
    await until(entered.is_set)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    go_on.set()
    await until(ended.is_set)
    pool = renewals[0]._client.connection_pool
    await until(lambda: all(each._sock is None for each in pool._available_connections))
    assert not pool._in_use_connections
    await flow.stop_all()
