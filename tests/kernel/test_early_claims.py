"""A wake-up's answer sends the claim: before any task runs, and whatever becomes of it, no job stays behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis import Redis

from flows.store.client.connection import Connection
from flows.store.client.wire import Disconnected, ReplyError
from flows.store.jobs.turns import Turns
from tests.kernel.parts import LONG, Given, MakeFlow, double, within
from tests.waiting import until


async def test_the_claim_is_under_way_before_any_task_runs(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent by what reads the connection, outside of every task, and brings the job with one turn."""
    sent: list[asyncio.Task[Any] | None] = []
    send_early = Turns.send_early

    def watched(self: Turns, want: int, *, busy: bool) -> None:
        sent.append(asyncio.current_task())
        send_early(self, want, busy=busy)

    monkeypatch.setattr(Turns, "send_early", watched)
    async with make_flow(double) as flow:
        for number in range(1, 4):
            assert (await flow.wait_for(await flow.create_job(Given(number=number)), LONG)).status == "done"
            await until(lambda: flow._runtime.session.wakeups._blocked_on)
    assert sent
    assert set(sent) == {None}


async def test_what_a_worker_claims_while_it_is_stopped_does_not_stay_behind(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch, redis: Redis, namespace: str
) -> None:
    """The claim was sent and its answer not read yet: the job is run or released at once, and not after its lease."""
    flow = make_flow(double, lease=30)
    send_early = Turns.send_early
    stopping: list[asyncio.Task[Any]] = []

    def stopped_then(self: Turns, want: int, *, busy: bool) -> None:
        send_early(self, want, busy=busy)
        if self.early and not stopping:
            (worker,) = flow.workers
            assert worker._worker_loop is not None
            worker._worker_loop.stop()
            stopping.append(asyncio.get_running_loop().create_task(flow.stop_all()))

    monkeypatch.setattr(Turns, "send_early", stopped_then)
    await flow.start_all()
    job_id = await flow.create_job(Given(number=1))
    await until(lambda: stopping)
    await within(stopping[0])
    assert redis.zcard(f"{namespace}queue:work:processing") == 0
    monkeypatch.undo()
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).status == "done"


@pytest.mark.parametrize("trouble", ["lost", "refused", "nothing connected"])
async def test_a_claim_that_is_not_answered_is_sent_again(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """With the same number: it is one claim, and the job runs once, on its first attempt."""
    send_at_once = Connection.send_at_once
    met: list[str] = []

    def troubled(self: Connection, call: Any) -> asyncio.Future[Any] | None:
        sent = send_at_once(self, call)
        met.append(trouble)
        if trouble == "nothing connected":
            return None
        failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if trouble == "lost":
            failed.set_exception(Disconnected("cut"))
        else:
            failed.set_result(ReplyError("NOSCRIPT No matching script."))
        assert sent is not None
        return failed

    async with make_flow(double) as flow:
        monkeypatch.setattr(Connection, "send_at_once", troubled)
        for number in range(1, 4):
            record = await flow.wait_for(await flow.create_job(Given(number=number)), LONG)
            assert (record.status, record.attempts) == ("done", 1)
            await until(lambda: flow._runtime.session.wakeups._blocked_on)
    assert met
