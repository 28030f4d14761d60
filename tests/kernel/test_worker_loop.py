"""A worker and a server that is full, away, or slow: nothing that has ended is lost, nothing is claimed in vain."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from redis import Redis

from flows import StoreFull, StoreUnavailable, current_job
from flows.store.client.packed_script import PackedCall
from flows.store.client.wire import Wire
from flows.store.embedded import EmbeddedServer
from flows.testing import private_server
from tests.kernel.parts import LONG, Answer, Given, Work, double, heard, number_flow, within
from tests.waiting import until


@pytest.fixture(scope="module")
def full_url() -> Iterator[str]:
    """Run a server that can be filled."""
    with private_server(settings={"maxmemory": "24mb"}) as url:
        yield url


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """Run a server that can be restarted on its data."""
    with TemporaryDirectory(prefix="flows-") as directory:
        server = EmbeddedServer(Path(directory))
        server.start()
        yield server
        server.stop()


async def test_a_full_server(full_url: str, namespace: str) -> None:
    """While the server is full, what ends is recorded and nothing is claimed or created; then all go on."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    flow = number_flow(full_url, namespace, slow, concurrency=2)
    with Redis.from_url(full_url) as redis:
        async with flow:
            ids = await flow.create_jobs([Given(number=number) for number in range(3)])
            await within(begun.wait())
            maxmemory = redis.config_get("maxmemory")["maxmemory"]
            redis.config_set("maxmemory", "1mb")
            with pytest.raises(StoreFull):
                await flow.create_job(Given())
            full = asyncio.create_task(flow.events.wait_for("store.full"))
            recorded = asyncio.create_task(flow.events.wait_for("job.recorded"))
            await asyncio.sleep(0)
            go_on.set()
            await within(full)
            await within(recorded)
            found = await flow.get_jobs(ids)
            assert Counter(record.status for record in found if record) == {"done": 2, "waiting": 1}
            redis.config_set("maxmemory", maxmemory)
            for job_id in ids:
                assert (await flow.wait_for(job_id, LONG)).status == "done"


async def test_a_server_that_is_restarted(server: EmbeddedServer, namespace: str) -> None:
    """The server ends and comes back under load: creators wait, every job is done, whoever waits hears of it."""
    seen: Counter[str] = Counter()

    async def seeing(job: Work) -> Answer:
        seen[job.id] += 1
        await asyncio.sleep(0)
        return await double(job)

    flow = number_flow(server._valkey.url(), namespace, seeing, concurrency=4)
    async with flow:
        enough = asyncio.Event()
        creating = asyncio.create_task(create_until(flow, enough))
        await within(flow.events.wait_for("job.recorded"))
        for _ in range(2):
            await asyncio.to_thread(server.stop)
            await until(lambda: wire_of(flow).closed)
            await asyncio.to_thread(server.start)
            await within(flow.events.wait_for("job.recorded"))
        enough.set()
        ids = await within(creating)
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).view(Answer).answer == 2
    assert set(seen) == set(ids)
    assert seen.total() - len(ids) < 20


def wire_of(flow: Any) -> Wire:
    """Return the connection that the flow's workers and creations share."""
    wire: Wire = flow._runtime.session.connection._wire
    return wire


async def create_until(flow: number_flow, enough: asyncio.Event) -> list[str]:
    """Create jobs one after another."""
    ids: list[str] = []
    while not enough.is_set():
        ids.append(await flow.create_job(Given(number=1)))
        await asyncio.sleep(0.001)
    return ids


async def test_stop_while_the_server_is_away(server: EmbeddedServer, namespace: str, monkeypatch) -> None:  # noqa: ANN001
    """A worker stops although what it ended cannot be recorded: the leases run out, and the jobs run again."""
    monkeypatch.setattr("flows.store.client.connection.DEADLINE", 0.2)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    url = server._valkey.url()
    flow = number_flow(url, namespace, slow, lease=0.5)
    await flow.start_all()
    job_id = await flow.create_job(Given(number=1))
    await within(begun.wait())
    await asyncio.to_thread(server.stop)
    go_on.set()
    await within(flow.stop_all())
    await asyncio.to_thread(server.start)
    async with number_flow(url, namespace, double, lease=0.5) as other:
        assert (await other.wait_for(job_id, LONG)).status == "done"


async def test_progress_while_the_server_is_away(server: EmbeddedServer, namespace: str, monkeypatch) -> None:  # noqa: ANN001
    """Progress that cannot be written is lost, and nothing else: each job is reported, and none runs twice."""
    monkeypatch.setattr("flows.store.client.connection.DEADLINE", 0.2)
    go_on, all_begun = {1: asyncio.Event(), 2: asyncio.Event()}, asyncio.Event()
    seen: Counter[int] = Counter()

    async def telling(job: Work) -> Answer:
        seen[job.number] += 1
        if seen.total() == 3:
            all_begun.set()
        if job.number:
            await go_on[job.number].wait()
            current_job().progress(0.5)
        return await double(job)

    flow = number_flow(server._valkey.url(), namespace, telling, concurrency=3)
    events = heard(flow)
    async with flow:
        await flow.wait_for(await flow.create_job(Given(number=0)), LONG)
        ids = await flow.create_jobs([Given(number=1), Given(number=2)])
        await within(all_begun.wait())
        await asyncio.to_thread(server.stop)
        away = asyncio.create_task(flow.events.wait_for("store.unavailable", queue="work"))
        go_on[1].set()
        await within(away)
        go_on[2].set()
        await asyncio.to_thread(server.start)
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert seen == {0: 1, 1: 1, 2: 1}
    assert not [event for event in events if event.name == "worker.crashed"]


async def test_a_fault_of_ours(namespace: str, redis_url: str, monkeypatch) -> None:  # noqa: ANN001
    """If reporting itself fails in a way that nobody foresaw, the jobs are not held for ever: they run again."""
    flow = number_flow(redis_url, namespace, double, lease=0.4)
    async with flow:
        (worker_loop,) = [worker._worker_loop for worker in flow.workers]
        turn, failed = worker_loop._turns.turn, False

        async def failing(ended, want, *, busy):  # noqa: ANN001, ANN202
            nonlocal failed
            if ended and not failed:
                failed = True
                raise RuntimeError("unforeseen")
            return await turn(ended, want, busy=busy)

        monkeypatch.setattr(worker_loop._turns, "turn", failing)
        crashed = asyncio.create_task(flow.events.wait_for("worker.crashed"))
        job_id = await flow.create_job(Given(number=1))
        assert "unforeseen" in str((await within(crashed)).fields["error"])
        assert (await flow.wait_for(job_id, LONG)).status == "done"


async def test_the_next_turn_does_not_wait_for_what_the_last_one_brought(namespace: str, redis_url: str) -> None:
    """What has ended goes to the server first, and then the jobs of the last turn are taken in flight."""
    flow = number_flow(redis_url, namespace, double, concurrency=10)
    done: list[str] = []
    async with flow:
        (worker_loop,) = [worker._worker_loop for worker in flow.workers]
        assert worker_loop is not None
        send, accept = worker_loop._turns._connection.call_packed, worker_loop._in_flight.accept

        async def sending(call: PackedCall) -> Any:
            done.append("sent" if b"finish" in call.by_digest() else "asked")
            answer = await send(call)
            if answer[2] == 0:  # nothing waits on, so that no turn is needed before what this one brought begins
                done.append("emptied")
            return answer

        def accepting(claimed: list[Any]) -> None:
            done.append("accepted")
            accept(claimed)

        worker_loop._turns._connection.call_packed = sending  # type: ignore[method-assign]
        worker_loop._in_flight.accept = accepting  # type: ignore[method-assign]
        for job_id in await flow.create_jobs([Given(number=number) for number in range(40)]):
            assert (await flow.wait_for(job_id, LONG)).status == "done"
    assert "accepted" in done
    # Nothing had ended when the first jobs came, so that they begin at once.
    assert done.index("accepted") < done.index("sent")
    later = done[done.index("sent") :]
    assert "accepted" in later
    assert all(before in {"sent", "emptied"} for before, what in pairwise(later) if what == "accepted")


async def test_an_idle_workers_job_takes_two_scripts(
    namespace: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that claims it and one that ends it; none that asks an empty queue for more while its function runs.

    And it listens once a job: not while a function runs that never suspends, since its end comes first.
    """
    monkeypatch.setattr("flows.store.jobs.wakeups.POLL_SECONDS", 1000.0)  # else it looks by itself, too
    monkeypatch.setattr("flows.kernel.prefetch._MOST_AHEAD", 0)  # how many it asks for does not change meanwhile
    flow = number_flow(redis_url, namespace, double, concurrency=10)
    scripts: list[str] = []
    async with flow:
        (worker_loop,) = [worker._worker_loop for worker in flow.workers]
        assert worker_loop is not None
        send, send_at_once = worker_loop._turns._connection.call_packed, worker_loop._turns._connection.send_at_once

        async def counting(call: PackedCall) -> Any:
            scripts.append(call.script.name)
            return await send(call)

        def counting_at_once(call: PackedCall) -> Any:
            scripts.append(call.script.name)
            return send_at_once(call)

        wakeups = flow._runtime.session.wakeups
        listened, listen = list[str](), wakeups.listen

        def listening(queue: str, on_wake: Callable[[], None]) -> None:
            listened.append(queue)
            listen(queue, on_wake)

        await until(lambda: wakeups._blocked_on)
        monkeypatch.setattr(wakeups, "listen", listening)
        monkeypatch.setattr(worker_loop._turns._connection, "call_packed", counting)
        monkeypatch.setattr(worker_loop._turns._connection, "send_at_once", counting_at_once)
        for number in range(200):
            recorded = asyncio.create_task(flow.events.wait_for("job.recorded"))
            await asyncio.sleep(0)
            await flow.create_job(Given(number=number))
            await within(recorded)
        await until(lambda: wakeups._blocked_on)
    assert len(scripts) == 400
    assert len(listened) == 200


async def test_what_came_when_the_worker_was_told_to_end(namespace: str, redis_url: str, redis: Redis) -> None:
    """It is handed back at once, although it was not yet in flight."""
    flow = number_flow(redis_url, namespace, double, concurrency=5)
    async with flow:
        (worker_loop,) = [worker._worker_loop for worker in flow.workers]
        assert worker_loop is not None
        turn = worker_loop._turns.turn

        async def ending(*arguments: Any, **named: Any) -> Any:
            answer = await turn(*arguments, **named)
            if answer.jobs:
                worker_loop.stop()
            return answer

        worker_loop._turns.turn = ending  # type: ignore[method-assign]
        ids = await flow.create_jobs([Given(number=number) for number in range(5)])
        (worker,) = flow.workers
        await until(lambda: worker.status == "stopped")
    assert redis.zcard(f"{namespace}queue:work:processing") == 0
    assert sorted(redis.lrange(f"{namespace}queue:work:waiting", 0, -1)) == sorted(ids)


@pytest.mark.parametrize("meanwhile", [False, True])
async def test_faults_while_jobs_are_taken_up(
    namespace: str,
    redis_url: str,
    meanwhile: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are told, a pause follows each, they stop no worker, and the jobs run again when their leases are over.

    Some jobs are taken up at once, and some while the next turn is under way.
    """
    monkeypatch.setattr("flows.kernel.turn_sender._PAUSE", 0.05)
    flow = number_flow(redis_url, namespace, double, concurrency=10, lease=0.4)
    done: list[str] = []
    async with flow:
        (worker_loop,) = [worker._worker_loop for worker in flow.workers]
        assert worker_loop is not None
        accept, pause = worker_loop._in_flight.accept, worker_loop._sender.pause

        def failing(claimed: list[Any]) -> None:
            if done.count("fault") < 3 and (asyncio.current_task() is None) is meanwhile:
                done.append("fault")
                raise RuntimeError("unforeseen")
            accept(claimed)
            done.append("accepted")

        async def pausing() -> None:
            done.append("pause")
            await pause()

        monkeypatch.setattr(worker_loop._in_flight, "accept", failing)
        monkeypatch.setattr(worker_loop._sender, "pause", pausing)
        events = heard(flow)
        while not done.count("fault"):  # which jobs are taken up when is not in our hands
            for job_id in await flow.create_jobs([Given(number=1)] * 600):
                assert (await flow.wait_for(job_id, LONG)).status == "done"
        crashes = [str(event.fields["error"]) for event in events if event.name == "worker.crashed"]
    faults = [at for at, what in enumerate(done) if what == "fault"]
    assert 0 < len(faults) == len(crashes)
    assert all("unforeseen" in crash for crash in crashes)
    assert {done[at + 1] for at in faults} == {"pause"}


async def test_an_id_that_is_no_text(namespace: str, redis_url: str, redis: Redis, monkeypatch) -> None:  # noqa: ANN001
    """Somebody has pushed it, with a hash, and it comes by itself when more have ended than one turn reports."""
    monkeypatch.setattr("flows.kernel.turn_sender._PAUSE", 0.05)
    begun, all_begun, go_on = 0, asyncio.Event(), asyncio.Event()

    async def together(job: Work) -> Answer:
        nonlocal begun
        begun += 1
        if begun == 250:
            all_begun.set()
        await go_on.wait()
        return await double(job)

    flow = number_flow(redis_url, namespace, together, concurrency=250, lease=0.4)
    async with flow:
        ids = await flow.create_jobs([Given(number=1)] * 250)
        await within(all_begun.wait())
        redis.hset(f"{namespace}job:numbers:".encode() + b"\xff", "number", "1")
        redis.rpush(f"{namespace}queue:work:waiting", b"\xff")
        go_on.set()
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
        job_id = await flow.create_job(Given(number=1))
        assert (await flow.wait_for(job_id, LONG)).status == "done"


async def test_no_server(tmp_path: Path, namespace: str) -> None:
    """A flow cannot start without its server, says so at once, and its workers are stopped."""
    flow = number_flow(f"unix://{tmp_path}/none.sock", namespace, double)
    with pytest.raises(StoreUnavailable, match=r"no answer from unix://.*none\.sock"):
        await within(flow.start_all(), 3)
    assert flow.workers[0].status == "stopped"
