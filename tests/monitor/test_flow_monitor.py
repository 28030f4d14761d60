"""The monitor of a real flow: what it reads, what it costs, and what it does when something is away."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis

from flows import DeclarationError, Fail, PortInUse, Retry, StoreFull, ValidationError
from flows.monitor import Created, FlowMonitor, Measured, Prometheus, Reading, Sink
from flows.monitor.reading import Served
from flows.testing import private_server
from tests.faults.server import Server
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, number_flow
from tests.monitor.parts import scrape
from tests.pipeline.parts import Order, order_flow
from tests.scale import SCALE, scaled
from tests.waiting import patient, until

#: Between two ticks, in seconds.
SOON = 0.05
#: So long a server may be silent: more on a busy machine.
PATIENCE = patient(0.3)


@pytest.fixture
def make_flow(redis_url: str, namespace: str) -> MakeFlow:
    """Make flows of one queue in the test's namespace: see `number_flow`."""
    return partial(number_flow, redis_url, namespace)


class Kept(Sink):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.attempts: list[Measured] = []
        self.creations: list[Created] = []
        self.open_for: list[str] = []

    async def open(self, flow: str) -> None:
        """Note that it is open."""
        self.open_for.append(flow)

    async def show(self, reading: Reading) -> None:
        """Keep the reading."""
        self.readings.append(reading)

    def measure(self, attempt: Measured) -> None:
        """Keep the attempt."""
        self.attempts.append(attempt)

    def created(self, creation: Created) -> None:
        """Keep the creation."""
        self.creations.append(creation)

    async def close(self, flow: str) -> None:
        """Note that it is closed."""
        self.open_for.remove(flow)


class Broken(Sink):
    """Raises wherever it is called, or hangs."""

    def __init__(self, *, hangs: bool = False) -> None:
        self._hangs = hangs

    async def show(self, reading: Reading) -> None:
        """Raise, or hang."""
        if self._hangs:
            await asyncio.get_running_loop().create_future()
        raise RuntimeError(f"cannot show {reading.flow}")

    def measure(self, attempt: Measured) -> None:
        """Raise."""
        raise RuntimeError(f"cannot measure {attempt.queue}")

    def created(self, creation: Created) -> None:
        """Raise."""
        raise RuntimeError(f"cannot measure {creation.queue}")

    async def close(self, flow: str) -> None:
        """Raise."""
        raise RuntimeError(f"cannot close {flow}")


async def test_a_snapshot_is_what_the_server_holds(make_flow: MakeFlow) -> None:
    """It needs no sink and no worker."""
    flow = make_flow()
    await flow.create_jobs(Given(number=n) for n in range(5))
    snapshot = await FlowMonitor(flow).snapshot()
    assert list(snapshot) == ["work"]
    assert (snapshot["work"].waiting, snapshot["work"].processing) == (5, 0)
    await flow.stop_all()


async def test_a_monitor_shows_all_that_happens(make_flow: MakeFlow) -> None:
    """At once when it starts, at each tick, and once more at the end; each attempt by its outcome and its time."""

    async def by_number(job: Work) -> Answer:
        match job.number:
            case 1:
                raise Fail("no")
            case 2 if job.attempt == 1:
                raise Retry("again", after=0)
            case _:
                await asyncio.sleep(0.01)
                return await double(job)

    flow, kept = make_flow(by_number), Kept()
    await flow.create_jobs(Given(number=n) for n in range(3))
    async with FlowMonitor(flow, every=SOON, sinks=[kept]):
        assert [reading.queues["work"].waiting for reading in kept.readings] == [3]
        async with flow:
            await until(lambda: len(kept.attempts) == 4)
            await until(lambda: kept.readings[-1].queues["work"].failed == 1 and len(kept.readings) > 3)
    assert kept.open_for == []
    counted = kept.readings[-1].queues["work"].counts
    assert counted == {"done": 2, "failed": 1, "retry": 1}
    assert sorted(attempt.outcome for attempt in kept.attempts) == ["done", "done", "failed", "retry"]
    for attempt in kept.attempts:
        assert (attempt.flow, attempt.queue) == ("numbers", "work")
        assert attempt.ran is not None
        assert (attempt.ran >= 0.01) == (attempt.outcome == "done")
        assert (attempt.error is not None) == (attempt.outcome in {"failed", "retry"})


async def test_slots_are_those_of_all_processes(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they tell it; where no process works any more there are none."""
    monkeypatch.setattr("flows.monitor.flow_monitor._HEARTBEATS", 0)
    go = asyncio.Event()

    async def waits(job: Work) -> Answer:
        await go.wait()
        return await double(job)

    flow, kept, sink = make_flow(waits, concurrency=3, lease=1), Kept(), Prometheus(0)
    async with FlowMonitor(flow, every=SOON, sinks=[kept, sink]):
        async with flow:
            await flow.create_jobs(Given(number=n) for n in range(2))
            await until(lambda: kept.readings[-1].served.get("work") == (3, 2))
            labels = (("flow", "numbers"), ("queue", "work"))
            samples = await scrape(sink)
            names = ("flows_queue_workers", "flows_queue_slots", "flows_queue_busy")
            assert [samples[name, labels] for name in names] == [1, 3, 2]
            go.set()
        await until(lambda: kept.readings[-1].served == {})
        assert (await scrape(sink))["flows_queue_slots", labels] == 0
    await flow.stop_all()


async def test_nothing_is_measured_without_a_monitor(make_flow: MakeFlow) -> None:
    """Neither before it runs nor after."""
    flow, kept = make_flow(double), Kept()
    monitor = FlowMonitor(flow, sinks=[kept])
    assert not flow.events.attempts.wanted
    async with flow:
        async with monitor:
            assert flow.events.attempts.wanted
        assert not flow.events.attempts.wanted
        await flow.wait_for(await flow.create_job(Given()), LONG)
    assert kept.attempts == []


async def test_creations_are_measured_while_a_monitor_runs(make_flow: MakeFlow, redis: Redis) -> None:
    """One call each, with how many jobs it has sent: none where it was refused before, or where nobody listens."""
    flow, kept = make_flow(), Kept()
    await flow.create_job(Given())
    async with FlowMonitor(flow, sinks=[Broken(), kept]):
        await flow.create_job(Given())
        assert len(await flow.create_jobs(Given(number=number) for number in range(7))) == 7
        await flow.create_job(Given(), delay=60)
        for wrong in ("not many", Given(), [Given(), 5]):
            with pytest.raises(ValidationError):
                await flow.create_jobs(wrong)  # type: ignore[arg-type]
        redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(StoreFull):
                await flow.create_jobs([Given(), Given()])
        finally:
            redis.config_set("maxmemory", 0)
        await asyncio.to_thread(flow.sync.create_job, Given())
    await flow.create_job(Given())
    refused = (0, "ValidationError")
    found = [(creation.jobs, creation.error) for creation in kept.creations]
    assert found == [(1, None), (7, None), (1, None), refused, refused, refused, (2, "StoreFull"), (1, None)]
    assert {(creation.flow, creation.queue) for creation in kept.creations} == {(flow.name, "work")}
    assert all(creation.seconds > 0 for creation in kept.creations)
    assert kept.readings[0].server == flow._runtime.server().address is not None
    await flow.stop_all()


async def test_two_monitors_show_the_same(make_flow: MakeFlow) -> None:
    """As many as anybody likes, in one process or in several: what the server holds is not shared out."""
    flow, one, other = make_flow(), Kept(), Kept()
    await flow.create_jobs(Given(number=n) for n in range(4))
    async with FlowMonitor(flow, sinks=[one]), FlowMonitor(make_flow(), sinks=[other]):
        shown = [kept.readings[0].queues["work"] for kept in (one, other)]
    assert [(queue.waiting, queue.counts) for queue in shown] == [(4, {})] * 2
    await flow.stop_all()


async def test_it_does_not_connect_a_flow_again_that_has_stopped(make_flow: MakeFlow) -> None:
    """The usual order is the other one, but what runs a flow may stop it before the monitor ends."""
    flow, kept = make_flow(double), Kept()
    events = heard(flow)
    async with FlowMonitor(flow, every=3600, sinks=[kept]), flow:
        pass
    assert [event.name for event in events].count("flow.connected") == 1
    assert len(kept.readings) == 1


async def test_a_server_that_goes_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The monitor says so once, shows that it knows nothing, and is back by itself."""
    monkeypatch.setattr("flows.monitor.flow_monitor._PATIENCE", PATIENCE)
    server, kept = Server(tmp_path), Kept()
    server.start()
    flow = number_flow(server.url, "")
    events = heard(flow)
    try:
        await flow.create_job(Given())
        async with FlowMonitor(flow, every=SOON, sinks=[kept]):
            assert kept.readings[-1].up
            server.kill()
            await until(lambda: [reading.up for reading in kept.readings[-2:]] == [False, False])
            assert kept.readings[-1].queues == {}
            server.restart()
            await until(lambda: kept.readings[-1].up)
            assert kept.readings[-1].queues["work"].waiting == 1
        told = [event.name for event in events if event.name.startswith(("store.", "service."))]
        assert told == ["store.unavailable", "store.available"]
    finally:
        await flow.stop_all()
        server.stop()


async def test_a_server_that_does_not_answer_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections stay open, and no request ends: `up` is False all the same, and ticks go on."""
    monkeypatch.setattr("flows.monitor.flow_monitor._PATIENCE", PATIENCE)
    server, kept = Server(tmp_path), Kept()
    server.start()
    flow = number_flow(server.url, "")
    events = heard(flow)
    try:
        async with FlowMonitor(flow, every=SOON, sinks=[kept]):
            server.freeze()
            await until(lambda: not kept.readings[-1].up)
            server.thaw()
            await until(lambda: kept.readings[-1].up)
        (away,) = (event for event in events if event.name == "store.unavailable")
        assert away.fields["error"] == f"no answer within {PATIENCE:g} s"
    finally:
        await flow.stop_all()
        server.stop()


async def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    """A monitor starts without it, whether it comes in a minute or not."""
    server, kept = Server(tmp_path), Kept()
    flow = number_flow(server.url, "")
    try:
        async with FlowMonitor(flow, every=SOON, sinks=[kept]):
            assert not kept.readings[-1].up
            server.start()
            await until(lambda: kept.readings[-1].up)
    finally:
        await flow.stop_all()
        server.stop()


async def test_broken_sinks_stop_nobody(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told once a minute for each sink, not at each tick; the others are shown everything."""
    monkeypatch.setattr("flows.monitor.flow_monitor._PATIENCE", 0.05)

    class Hangs(Broken):
        pass

    flow, kept = make_flow(double), Kept()
    events = heard(flow)
    async with flow, FlowMonitor(flow, every=SOON, sinks=[Broken(), Hangs(hangs=True), kept]):
        await flow.wait_for(await flow.create_job(Given()), LONG)
        await until(lambda: kept.attempts and len(kept.readings) >= 4)
    failed = [event.fields["sink"] for event in events if event.name == "sink.failed"]
    assert [name for name in failed if "Hangs" not in str(name)] == ["Broken"]
    assert len(failed) == 2
    assert [event.name for event in events if event.name == "service.died"] == []


async def test_one_bad_queue_is_unknown_alone(redis_url: str, redis: Redis, namespace: str) -> None:
    """What stands in one of its keys is not ours: of that place Prometheus has no figure, and of the rest all."""
    flow, sink = order_flow(redis_url, namespace), Prometheus(0)
    await flow.create_job(Order(user_id=1))
    redis.set(f"{namespace}queue:ship:waiting", "not ours")
    async with FlowMonitor(flow, sinks=[sink]):
        samples = await scrape(sink)
    await flow.stop_all()
    found = {
        (name, *(value for key, value in labels if key != "flow")): value for (name, labels), value in samples.items()
    }
    assert (found["flows_queue_up", "price"], found["flows_queue_up", "ship"]) == (1, 0)
    assert (found["flows_queue_jobs", "price", "waiting"], found["flows_queue_jobs", "ship", "delayed"]) == (1, 0)
    assert ("flows_queue_jobs", "ship", "waiting") not in found
    assert ("flows_queue_oldest_seconds", "ship") not in found


async def test_a_sink_that_cannot_be_opened_refuses_the_start(make_flow: MakeFlow) -> None:
    """Its error reaches whoever starts the monitor, and what was open before is closed."""
    flow, kept, serving = make_flow(), Kept(), Prometheus(0)
    await serving.open("other")
    with pytest.raises(PortInUse, match="is in use"):
        await FlowMonitor(flow, sinks=[kept, Prometheus(serving.port)]).__aenter__()
    assert kept.open_for == []
    await serving.close("other")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "not positive"),
        ({"every": 0.001}, "50 ms or more"),
        ({"every": "1s"}, "give a datetime.timedelta"),
        ({"sinks": [print]}, "subclass flows.monitor.Sink"),
        ({"sinks": Kept()}, "give a list"),
    ],
)
def test_a_wrong_argument_is_refused(make_flow: MakeFlow, arguments: dict[str, Any], message: str) -> None:
    """When the monitor is made."""
    with pytest.raises(DeclarationError, match=message):
        FlowMonitor(make_flow(), **arguments)


@pytest.mark.scale
async def test_a_tick_costs_the_same_however_much_there_is() -> None:
    """Whole ticks, at 10 and at 50,000 jobs that wait, are delayed and have failed: the same commands.

    With `make scale` at 1,000,000 of each, and within a tenth in the same time of the server, too.
    """
    with private_server() as url, Redis.from_url(url) as redis:
        few = await watched(url, redis, "few:", 10)
        many = await watched(url, redis, "many:", scaled(50_000, full=1_000_000))
        took: tuple[list[float], list[float]] = [], []
        for _ in range(25):  # by turns, since the machine has other things to do, too
            sent = []
            for monitor, times in zip((few, many), took, strict=True):
                commands, usec = await ticks(monitor, redis)
                sent.append(commands)
                times.append(usec)
            assert sent[0] == sent[1]
            assert sent[0]["evalsha"] == _TICKS
        for monitor in (few, many):
            await monitor._flow.stop_all()
    assert SCALE == 1 or min(took[1]) <= 1.1 * min(took[0]), [min(times) for times in took]


#: So many ticks are counted together.
_TICKS: Final = 50


async def watched(url: str, redis: Redis, namespace: str, count: int) -> FlowMonitor:
    """Return the monitor of a flow, with so many ids in each of three places and one process that tells of itself."""
    flow, kept = number_flow(url, namespace, double), Kept()
    keys = flow._runtime.settings.keys
    async with flow:
        await until(lambda: redis.zcard(keys.workers("work")))
        [process] = redis.zrange(keys.processes(flow.name), 0, 0)
        text = redis.get(keys.process(flow.name, process.decode()))
    assert text
    # What it has told stays without it: the commands of its workers would be counted too.
    redis.set(keys.process(flow.name, process.decode()), text)
    for index in (keys.processes(flow.name), keys.workers("work")):
        redis.zadd(index, {process: 1e13})
    await flow.create_jobs(Given(number=number) for number in range(10))
    for start in range(0, count, 10_000):
        ids = list(map(str, range(start, min(count, start + 10_000))))
        redis.rpush(keys.waiting("work"), *ids[10 if start == 0 else 0 :], "")
        redis.rpop(keys.waiting("work"))
        for place in (keys.delayed("work"), f"{namespace}flows:ended:work:failed"):
            redis.zadd(place, dict.fromkeys(ids, 1e13))
    monitor = FlowMonitor(flow, sinks=[kept])
    monitor._open = [kept]
    await monitor._tick()
    [queue] = kept.readings[-1].queues.values()
    assert (queue.waiting, queue.delayed, queue.failed) == (count, count, count)
    assert kept.readings[-1].served == {"work": Served(1, 0)}
    return monitor


async def ticks(monitor: FlowMonitor, redis: Redis) -> tuple[dict[str, int], float]:
    """Return which commands some ticks send, and how many microseconds the server takes for each tick."""
    redis.config_resetstat()
    for _ in range(_TICKS):
        monitor._asked = -math.inf  # so that each of them asks the processes
        await monitor._tick()
    stats: Any = redis.info("commandstats")
    rows = {name.removeprefix("cmdstat_"): row for name, row in stats.items() if "config" not in name}
    # What a script sends counts among its own time.
    usec = rows["evalsha"]["usec"] + sum(rows[name]["usec"] for name in ("mget", "zrevrange"))
    return {name: row["calls"] for name, row in rows.items() if name != "info"}, usec / _TICKS
