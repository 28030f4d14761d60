"""What a process that works says of itself: from its start to its end, whatever its loop and the server do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flows import Process
from flows.kernel.fleet.heartbeat import Heartbeat
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, within
from tests.waiting import blocking_until, until

ROOT = Path(__file__).resolve().parents[3]


async def one(flow: Any) -> Process:
    """Return the one process of the flow."""
    [process] = await flow.processes()
    return process


async def eventually(flow: Any, true: Callable[[Process], object]) -> None:
    """Wait until this is true of the one process of the flow."""

    async def said() -> object:
        return true(await one(flow))

    await until(said)


async def test_a_process_says_what_it_is_and_does(make_flow: MakeFlow) -> None:
    """Host, versions, release, memory, its queues with slots and what runs in them since when."""
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def waiting(job: Work) -> Answer:
        begun.release()
        await go_on.wait()
        return await double(job)

    before = datetime.now(UTC) - timedelta(seconds=2)
    flow = make_flow(waiting, lease=2, concurrency=3, count=2)
    async with flow:
        assert (await one(flow)).alive  # from the start on
        ids = {await flow.create_job(Given(number=number)) for number in range(4)}
        for _ in range(4):
            await within(begun.acquire())
        await eventually(flow, lambda process: len(process.running) == 4)
        process = await one(flow)
        go_on.set()
    declared = await flow._runtime._descriptor.description()
    assert (process.alive, process.pid, process.digest) == (True, os.getpid(), declared.digest)
    assert process.python_version == ".".join(map(str, sys.version_info[:3]))
    assert process.host
    assert process.flows_version
    assert process.rss is None or process.rss > 1 << 20
    assert process.started is not None
    assert before < process.started < process.heard
    [queue] = process.queues
    assert (queue.queue, queue.workers, queue.slots, queue.busy) == ("work", 2, 6, 4)
    assert queue.asked is not None
    assert before < queue.asked <= process.heard
    assert {job.id for job in process.running} == ids
    assert all(job.queue == "work" and before < job.started <= process.heard for job in process.running)
    assert [job.started for job in process.running] == sorted(job.started for job in process.running)


async def test_a_process_that_stops_leaves_nothing(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Nor does one whose workers were stopped singly; the flow is still open then."""
    flow = make_flow(double, lease=2)
    async with flow:
        await flow.workers[0].stop()
        await until(lambda: not list(redis.scan_iter(f"{namespace}flows:process*")))
        await flow.workers[0].start()
        await until(lambda: redis.zcard(f"{namespace}flows:workers:work"))
    assert not list(redis.scan_iter(f"{namespace}flows:process*"))
    assert not list(redis.scan_iter(f"{namespace}flows:workers*"))
    assert await flow.processes() == []
    await flow.stop_all()


async def test_a_process_that_stops_says_that_it_leaves(make_flow: MakeFlow) -> None:
    """While what it has begun runs on: a deploy shows who is still to go."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waiting(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    flow = make_flow(waiting, lease=2)
    async with flow:
        await flow.create_job(Given(number=1))
        await within(begun.wait())
        assert not (await one(flow)).leaving
        stopping = asyncio.create_task(flow.workers[0].stop())
        await eventually(flow, lambda process: process.leaving)
        go_on.set()
        await within(stopping)


async def test_a_process_without_workers_says_nothing(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """It only creates jobs."""
    async with make_flow() as flow:
        await flow.create_job(Given())
        assert await flow.processes() == []
        assert flow._runtime.session.heartbeat.due_in() == float("inf")
    assert not list(redis.scan_iter(f"{namespace}flows:process*"))


async def test_a_blocked_loop_still_beats_and_shows_its_lag(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """The thread of the leases sends them; what runs is told too."""
    seen: list[dict[str, Any]] = []
    begun, over = threading.Event(), threading.Event()

    async def blocking(job: Work) -> Answer:
        begun.set()
        over.wait(LONG)  # the loop stands still
        return await double(job)

    def look() -> None:
        begun.wait(LONG)

        def lags() -> bool:
            keys = redis.scan_iter(f"{namespace}flows:process:*")
            seen.extend(json.loads(redis.get(key) or '{"at": 0, "lag": 0}') for key in keys)
            return len({beat["at"] for beat in seen if beat["lag"] > 900}) >= 2

        try:
            blocking_until(lags)
        finally:
            over.set()

    async with make_flow(blocking, lease=2) as flow:
        looking = asyncio.create_task(asyncio.to_thread(look))
        job_id = await flow.create_job(Given(number=1))
        await within(looking)
        await flow.wait_for(job_id, LONG)
    last = seen[-1]
    assert last["lag"] > 900
    assert last["blocked"][1:3] == [
        "test_a_blocked_loop_still_beats_and_shows_its_lag.<locals>.blocking",
        __file__[-100:],
    ]
    assert [job[:2] for job in last["running"]] == [["work", job_id]]
    assert last["running"][0][2] > 900


KILLED = """
import asyncio, sys
from tests.kernel.parts import number_flow

async def endless(job):
    await asyncio.Event().wait()

async def main():
    async with number_flow(sys.argv[1], sys.argv[2], endless, lease=2):
        print("started", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_process_is_seen_as_gone(make_flow: MakeFlow, redis_url: str, namespace: str) -> None:
    """Half a minute later by default, four heartbeats; since when, and what it ran, can be seen for an hour."""
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, redis_url, namespace, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert victim.stdout is not None
    flow = make_flow()
    try:
        assert await within(victim.stdout.readline()) == b"started\n"
        job_id = await flow.create_job(Given())
        await eventually(flow, lambda process: process.running)
        alive = await one(flow)
        assert (alive.alive, alive.pid) == (True, victim.pid)
        victim.send_signal(signal.SIGKILL)
        await within(victim.wait())
        await eventually(flow, lambda process: not process.alive)
        dead = await one(flow)
        assert (dead.name, dead.pid, [job.id for job in dead.running]) == (alive.name, victim.pid, [job_id])
        assert alive.heard <= dead.heard < datetime.now(UTC)
    finally:
        if victim.returncode is None:
            victim.kill()
            await victim.wait()
        victim._transport.close()  # type: ignore[attr-defined]
        await flow.stop_all()


NONSENSE = ["", "{", "7", "null", "[]", '{"at":1}', '{"at":"x","queues":7}', "[" * 50_000]


async def test_nonsense_breaks_no_list(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Whatever somebody has written into the keys, a process that can be read is listed, and the others by name."""
    index = f"{namespace}flows:processes:numbers"
    for number, text in enumerate(NONSENSE):
        redis.zadd(index, {f"x{number}": 1e15 if number % 2 else 1})
        redis.set(f"{namespace}flows:process:numbers:x{number}", text)
    redis.zadd(index, {"inf": "inf", "minus": "-inf", "gone": 2e300, "list": 5})
    redis.rpush(f"{namespace}flows:process:numbers:list", "1")
    async with make_flow(double) as flow:
        found = {process.name: process for process in await flow.processes()}
        mine = [process for process in found.values() if process.pid == os.getpid()]
        assert len(mine) == 1
        assert mine[0].queues
        assert found["x1"].alive
        assert not found["x1"].queues
        assert "x0" not in found  # it counts no more for over an hour: the first heartbeat has dropped it
        redis.delete(index)
        redis.set(index, "not ours")
        assert await flow.processes() == []


async def test_real_heartbeats_edited_in_each_part(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """No part of a heartbeat is trusted."""
    async with make_flow(double) as flow:
        [key] = redis.scan_iter(f"{namespace}flows:process:*")
        good = json.loads(redis.get(key) or "")
        for name in good:
            for value in (None, 7, "x", [7], {"x": 7}, {"x": {}}, 1e400, -1e300):
                redis.set(key, json.dumps({**good, name: value}))
                assert len(await flow.processes()) == 1, (name, value)
            redis.set(key, json.dumps({other: good[other] for other in good if other != name}))
            assert len(await flow.processes()) == 1, name


async def test_heartbeats_that_fail_are_no_harm(
    make_flow: MakeFlow, redis: Redis, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread goes on to keep leases, and says it again; what stood there before is mended."""
    failed = threading.Event()
    async with make_flow(double, lease=2) as flow:
        heartbeat = flow._runtime.session.heartbeat
        send = heartbeat._heartbeats.send

        def fails(*_arguments: object) -> None:
            failed.set()
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(heartbeat._heartbeats, "send", fails)
        await asyncio.to_thread(failed.wait, LONG)
        assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
        redis.delete(*redis.scan_iter(f"{namespace}flows:process*"), f"{namespace}flows:flow:numbers")
        monkeypatch.setattr(heartbeat._heartbeats, "send", send)
        await until(lambda: redis.hlen(f"{namespace}flows:flow:numbers"))
        assert (await one(flow)).alive


@pytest.mark.parametrize(("lease", "every"), [(30, 7.5), (0.3, 0.5), (600, 15)])
def test_how_often(lease: float, every: float) -> None:
    """Every quarter of a lease, within bounds: a short lease does not flood the server."""
    assert Heartbeat(object(), "ab", lease, 600, lambda: None).every == every  # type: ignore[arg-type]


class Many:
    """A worker of a queue with many jobs that run."""

    concurrency = 1000

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.stopping = asyncio.Event()

    def running_since(self) -> list[tuple[str, float]]:
        """Return them."""
        return [(f"{number:036}", time.monotonic() - number) for number in range(1000)]


def test_a_heartbeat_is_small() -> None:
    """Twenty jobs and a queue fit into 4 kB; each further queue takes some 100 bytes beside its name."""
    heartbeat = Heartbeat(object(), "ab", 30, 600, lambda: None)  # type: ignore[arg-type]
    heartbeat.add(Many("work"))
    text = heartbeat._next().text
    assert len(text) < 4096
    found = json.loads(text)
    assert [job[1] for job in found["running"]] == [f"{number:036}" for number in range(999, 979, -1)]
    for number in range(60):
        heartbeat.add(Many(f"{'q' * 60}{number}"))
    text = heartbeat._next().text
    assert len(json.loads(text)["queues"]) == 61
    assert len(text) < 4096 + 61 * 164
