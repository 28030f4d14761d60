"""Rows H: jobs that are created for later, moved, and changed in bulk, while connections are cut and processes die."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from typing import Final

from flows import StateError
from tests.faults.case import Case, row
from tests.faults.flow_under_test import Order, Orders
from tests.faults.opening import opened
from tests.faults.proxy import Proxy

#: Every connection is cut so often, in seconds, give or take a half.
_CUT_EVERY: Final = 0.1


#: So often the process is killed that acts in bulk.
_KILLS: Final = 5


class Cutting:
    """A thread that cuts all connections of a proxy again and again; use it in a `with` statement."""

    def __init__(self, case: Case, proxy: Proxy) -> None:
        self._case, self._proxy = case, proxy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._cut, name="cutting")
        self.cuts = 0

    def __enter__(self) -> None:
        """Begin."""
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()
        self._case.figures["cuts"] = self.cuts

    def _cut(self) -> None:
        while not self._stop.wait(_CUT_EVERY * self._case.random.uniform(0.5, 1.5)):
            self.cuts += self._proxy.cut_all()


@row("H1", "created for later, the queue paused and resumed, connections cut")
def h1(case: Case) -> None:
    """Each job is there once, begins when it is due and not before, and no pause stays that was resumed."""
    case.lease = 2.0
    case.fleet().spawn(2)
    due: dict[str, float] = {}
    with Proxy(case.server.port) as proxy:
        asyncio.run(_create_and_pause(case, proxy, due))
    left = case.wait_done([*due], 20)
    case.expect(not left, f"each job is done: {len(left)} are not")
    early = [entry for entry in case.starts(queue="pick") if entry.t < due[entry.job_id]]
    case.expect(not early, f"no job begins before it is due: {len(early)} do")
    with case.server.client() as client:
        there = sum(1 for _key in client.scan_iter("job:orders:*", count=1000, _type="hash"))
        paused = client.hget("queue:pick:meta", "paused")
    case.expect(there == len(due), f"each of {len(due)} jobs was created once, and there are {there}")
    case.expect(paused in {None, "0"}, f"the queue is paused no more: {paused}")


async def _create_and_pause(case: Case, proxy: Proxy, due: dict[str, float]) -> None:
    """Create jobs on some lanes for three seconds, and pause and resume their queue meanwhile."""
    flow = case.flow(proxy.url)
    await opened(flow)
    end = time.monotonic() + 3

    async def create() -> None:
        while time.monotonic() < end:
            delay = case.random.uniform(0.0, 1.0)
            at = time.monotonic() + delay
            job_id = await flow.create_job(Order(number=1), delay=delay)
            case.acknowledged([job_id])
            due[job_id] = at

    try:
        with Cutting(case, proxy):
            async with asyncio.TaskGroup() as tasks:
                for _ in range(4):
                    tasks.create_task(create())
                tasks.create_task(_pause_and_resume(case, flow, end))
    finally:
        await flow.stop_all()


async def _pause_and_resume(case: Case, flow: Orders, end: float) -> None:
    pauses = 0
    while time.monotonic() < end:
        await flow.queue("pick").pause(note="as scripted")
        pauses += 1
        await asyncio.sleep(case.random.uniform(0, 0.2))
        await flow.queue("pick").resume()
        await asyncio.sleep(case.random.uniform(0, 0.2))
    case.figures["pauses"] = pauses


@row("H3", "moved to another queue and back by four callers, connections cut")
def h3(case: Case) -> None:
    """Each job is moved once in either direction, whoever asks how often, and waits once."""
    ids = case.create(300)
    with Proxy(case.server.port) as proxy:
        words = asyncio.run(_move_there_and_back(case, proxy, ids))
    case.figures.update(words)
    with case.server.client() as client:
        metas = [client.hgetall(f"queue:{queue}:meta") for queue in ("pick", "ship")]
        waiting = client.lrange("queue:pick:waiting", 0, -1)
    counted = [int(meta.get(name, 0)) for meta in metas for name in ("moved_out", "moved_in")]
    case.expect(counted == [len(ids)] * 4, f"each job leaves and comes once: {counted}")
    case.expect(words["moved"] == 2 * len(ids), f"one caller is told so each time: {words}")
    case.expect(sorted(waiting) == sorted(ids), f"each job waits once: {len(waiting)} ids, {len(set(waiting))} jobs")


async def _move_there_and_back(case: Case, proxy: Proxy, ids: list[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    flow = case.flow(proxy.url)

    async def move(to: str) -> None:
        for job_id in case.random.sample(ids, len(ids)):
            try:
                words[await flow.move_job(job_id, to=to)] += 1
            except StateError:
                words["there"] += 1

    try:
        await opened(flow)
        with Cutting(case, proxy):
            for to in ("ship", "pick"):
                await asyncio.gather(*(move(to) for _ in range(4)))
    finally:
        await flow.stop_all()
    return words


@row("H2", "processes killed while they cancel and retry 3,000 jobs in bulk", limit=90)
def h2(case: Case) -> None:
    """Another process goes on with each bulk action: every job is cancelled once, and then retried once."""
    ids = case.create(3_000)
    case.recovers_at = "none"  # a bulk action is no job of the flow
    asyncio.run(_in_bulk(case, "cancel", "cancelled", len(ids)))
    asyncio.run(_in_bulk(case, "retry", "retry_job", len(ids)))
    with case.server.client() as client:
        meta = client.hgetall("queue:pick:meta")
        depth = client.llen("queue:pick:waiting") - int(meta.get("stale", 0))
    counted = {name: int(meta.get(name, 0)) for name in ("cancelled", "retry_job")}
    case.expect(counted == dict.fromkeys(counted, len(ids)), f"each job is cancelled and retried once: {counted}")
    case.expect(depth == len(ids), f"each job waits once: {depth} do")
    case.fleet(concurrency=16).spawn(2)
    left = case.wait_done(ids, 60)
    case.expect(case.count(ids) == {"done": len(ids)}, f"all jobs are done: {len(left)} are not")


async def _in_bulk(case: Case, verb: str, counter: str, count: int) -> None:
    """Act on all jobs, while the process that does it is killed each time when it has done a part."""
    servers = case.fleet(queues=("ship",))
    flow = case.flow()
    query = flow.jobs.status("waiting" if verb == "cancel" else "cancelled")
    try:
        bulk = await getattr(query, verb)()
        with case.server.client() as client:
            for kill in range(_KILLS):
                servers.fill(1)
                enough = (kill + 1) * count // (_KILLS + 1)

                def done(enough: int = enough) -> bool:
                    return int(client.hget("queue:pick:meta", counter) or 0) >= enough

                case.expect(await asyncio.to_thread(case.wait_until, done, 30.0), f"{enough} are reached: {verb}")
                await asyncio.to_thread(servers.kill, *servers.alive)
                await asyncio.to_thread(servers.wait, *servers.alive)
        result = await bulk.wait(30)
        case.expect(result.status == "done", f"the bulk action ends as done: {result}")
        case.figures[f"kills_{verb}"] = _KILLS
    finally:
        await flow.stop_all()
