"""Leases that are lost while the function runs: it hears of it in time, and nothing of it is written."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from flows import CurrentJob, LostLease, current_job
from flows.testing import private_server
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, number_flow, within


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    """Run a server that can be frozen: its address and its process."""
    with private_server() as url:
        with Redis.from_url(url) as redis:
            pid = int(redis.info()["process_id"])
        try:
            yield url, pid
        finally:
            os.kill(pid, signal.SIGCONT)


def tell(here: CurrentJob, what: str) -> None:
    """Tell progress, or a line of the log."""
    if what == "progress":
        here.progress(0.5)
    else:
        here.log("a line")


@pytest.mark.parametrize("kind", ["coroutine", "thread"])
@pytest.mark.parametrize("what", ["progress", "log"])
async def test_who_tells_hears_that_the_lease_is_lost(
    make_flow: MakeFlow, redis: Redis, namespace: str, kind: str, what: str
) -> None:
    """`progress` and `log` raise LostLease, in coroutines and in threads; before that they are as usual."""
    begun, told = threading.Event(), threading.Event()
    raised: list[LostLease] = []

    def in_a_thread(_job: Work) -> Answer:
        here = current_job()
        tell(here, what)
        begun.set()
        try:
            while not told.wait(0.001):
                tell(here, what)
        except LostLease as error:
            assert (here.lost, here.cancelled) == (True, True)
            raised.append(error)
            told.set()
        return Answer(answer=-1)

    async def in_the_loop(_job: Work) -> Answer:
        here = current_job()
        tell(here, what)
        begun.set()
        try:
            await within(asyncio.Event().wait())
        except asyncio.CancelledError:
            with pytest.raises(LostLease) as caught:
                tell(here, what)
            raised.append(caught.value)
            told.set()
        return Answer(answer=-1)

    function: Callable[[Work], Any] = in_a_thread if kind == "thread" else in_the_loop
    async with make_flow(function, lease=2) as flow:
        job_id = await flow.create_job(Given())
        assert await asyncio.to_thread(begun.wait, LONG)
        key = f"{namespace}job:numbers:{job_id}"
        redis.hset(key, mapping={"_attempt": "9 other 1 0 0 0 -"})
        redis.zadd(f"{namespace}queue:work:processing", {job_id: 9_999_999_999_999})
        assert await asyncio.to_thread(told.wait, LONG)
        await flow.workers[0].stop()
        assert redis.hget(key, "answer") is None
    assert [error.job_id for error in raised] == [job_id]


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_server_that_is_away_for_longer_than_the_lease(
    server: tuple[str, int],
    namespace: str,
    stubborn: bool,  # noqa: FBT001
) -> None:
    """The function is cancelled by our own clock, while the server is away; what it returns then is never written.

    When the server is back, the job is made again.
    """
    url, pid = server
    begun = asyncio.Event()
    ended: list[tuple[bool, bool]] = []

    async def function(job: Work) -> Answer:
        if current_job().fence > 1:
            return await double(job)
        begun.set()
        try:
            await within(asyncio.Event().wait())
        except asyncio.CancelledError:
            ended.append((current_job().lost, frozen))
            if not stubborn:
                raise
        return Answer(answer=-1)

    flow = number_flow(url, namespace, function, lease=2)
    events = heard(flow)
    async with flow:
        job_id = await flow.create_job(Given(number=21))
        await within(begun.wait())
        lost = asyncio.create_task(flow.events.wait_for("job.lost", job_id=job_id))
        frozen = True
        os.kill(pid, signal.SIGSTOP)
        assert (await within(lost)).fields["word"] == "unrenewed"
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGCONT)
        frozen = False
        record = await flow.wait_for(job_id, LONG)
    assert ended == [(True, True)]
    assert record.view(Answer).answer == 42
    assert [past.verb for past in record.history] == ["rescue", "finish"]
    assert not [event for event in events if event.name == "worker.crashed"]


async def test_a_server_that_is_away_for_a_moment(server: tuple[str, int], namespace: str) -> None:
    """While the lease lasts, nobody is told anything: the function goes on, and its result counts."""
    url, pid = server
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def function(job: Work) -> Answer:
        begun.set()
        await within(go_on.wait())
        return await double(job)

    flow = number_flow(url, namespace, function, lease=6)
    events = heard(flow)
    async with flow:
        job_id = await flow.create_job(Given(number=21))
        await within(begun.wait())
        away = asyncio.create_task(flow.events.wait_for("store.unavailable"))
        os.kill(pid, signal.SIGSTOP)
        flow._runtime.session.renewer.poke(None)  # it need not wait for its time
        await within(away)
        os.kill(pid, signal.SIGCONT)
        go_on.set()
        record = await flow.wait_for(job_id, LONG)
    assert [past.verb for past in record.history] == ["finish"]
    assert not [event for event in events if event.name in {"job.lost", "job.rescued"}]
