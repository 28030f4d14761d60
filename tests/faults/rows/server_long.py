"""More rows C: old data, a server that is busy, transactions with errors, accounts that lack a right."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from flows import FlowsError, KeyConflict, StoreError
from tests.faults.case import Case, row
from tests.faults.flow_under_test import Order, add_workers
from tests.faults.ledger import Ledger
from tests.faults.producer import Producer
from tests.faults.proxy import Proxy
from tests.faults.rewind import rewind
from tests.faults.rows.server_faults import resume, whole


@row("C5", "old data is restored, with workers up", long=True)
def c5(case: Case) -> None:
    """What came later is lost, and counted; what was done later runs again, and no zombie of that time is heard."""
    case.lease = 3.0  # so that the zombie does not give up by itself
    fleet = case.fleet()
    ids = case.create(150, "slow:0.3;children:2")
    with Proxy(case.server.port) as proxy:
        [zombie] = fleet.spawn(1, url=proxy.url)
        fleet.spawn(2)
        time.sleep(1)
        case.server.kill()
        case.server.keep_copy()
        case.server.restart()
        ids += case.create(30)
        resume(case, time.monotonic())
        time.sleep(case.random.uniform(0.5, 0.9))
        # What was answered before does not reach it: its ledger would tell of it too late.
        proxy.blackhole("both")
        proxy.cut_all()
        case.server.kill()
        case.server.restore_copy()
        down = time.monotonic()
        case.server.restart()
        gone = case.count(ids)["gone"]
        resume(case, time.monotonic())
        time.sleep(0.8)  # others get what the zombie had in flight
        proxy.open()
        case.wait_done(ids, 25)
        fleet.finish()
    case.allow(lost=gone)
    case.expect(gone == 30, f"the jobs that came after the copy are lost, and those are not {gone}")
    heard = _heard(case, zombie.pid, down)
    case.expect(not heard, f"what a zombie ends is refused: {heard[:3]}")
    whole(case)
    refused = sum(entry.pid == zombie.pid and entry.t > down for entry in case.entries("REFUSED"))
    case.figures |= {"refused": refused, "ran_again": rewind(case.ledger.directory, down, 4.0)}


def _heard(case: Case, pid: int, down: float) -> list[str]:
    """Return the jobs of which an attempt that a process began before was accepted, while others had them."""
    before = {(entry.key, entry.fence) for entry in case.starts(pid=pid) if entry.t < down}
    others = {entry.key: entry.t for entry in reversed(case.starts()) if entry.t > down and entry.pid != pid}
    return [
        entry.key
        for entry in case.entries("DONE")
        if entry.pid == pid and (entry.key, entry.fence) in before and down < others.get(entry.key, down) < entry.t
    ]


_READS: Final = """
local began = redis.call('TIME')
repeat local now = redis.call('TIME') until (now[1] - began[1]) * 1000000 + now[2] - began[2] > 3000000
"""
_WRITES: Final = "redis.call('SET', 'foreign', 1, 'PX', 60000)" + _READS


@row("C10", "a foreign script holds the server for 3 s, one that reads and one that writes", long=True,
     settings={"busy-reply-threshold": "200"})  # fmt: skip
def c10(case: Case) -> None:
    """All wait: no lease of 8 s is lost, and nobody sees an error."""
    case.lease = 8.0
    fleet = case.fleet()
    fleet.spawn(3)
    with Producer(case, kind="slow:0.1;children:2") as producer:
        for script in (_READS, _WRITES):
            time.sleep(0.7)
            with case.server.client(timeout=30) as client:
                client.eval(script, 0)
                client.delete("foreign")
            resume(case, time.monotonic())
    left = case.wait_done(producer.ids, 20)
    case.expect(not left, f"all are done, but {len(left)}")
    reclaims = sum(entry.fields["what"] in {"job.rescued", "job.lost"} for entry in case.entries("NOTE"))
    case.expect(not reclaims, f"no lease is lost, and not {reclaims}")
    case.expect(not producer.refused, f"producers wait: {producer.refused}")
    whole(case)
    case.figures |= {"false_reclaims": reclaims, "longest_call": producer.longest}


@row("C13", "a transaction meets an error at queue time, and at EXEC", long=True)
def c13(case: Case) -> None:
    """Nothing of the job stays, the error is typed, and beside workers it is created or it is not."""
    with case.server.client() as client:
        client.acl_setuser("narrow", enabled=True, passwords=["+pw"], categories=["+@all"], commands=["-rpush"],
                           keys=["*"], channels=["*"])  # fmt: skip
        narrow = f"redis://narrow:pw@127.0.0.1:{case.server.port}/0"
        before = set(client.keys())
        at_queue_time = asyncio.run(_refusals(case, narrow, 20, range(5)))
        client.set("job:orders:customer:7", "not ours")
        at_exec = asyncio.run(_refusals(case, case.server.url, 20, (7,)))
        half = {key for key in client.scan_iter() if key.startswith(("job:", "queue:pick:waiting"))} - before
        half.discard("job:orders:customer:7")
        case.expect(set(at_queue_time) == {"StoreUnavailable"}, f"without the right: {at_queue_time}")
        case.expect(set(at_exec) == {KeyConflict.__name__}, f"with a foreign key: {at_exec}")
        case.expect(not half, f"nothing of refused jobs stays: {sorted(half)[:5]}")
        fleet = case.fleet()
        fleet.spawn(2)
        with Producer(case, pause=0.002) as producer:
            time.sleep(2)
        client.delete("job:orders:customer:7")
        case.wait_done(producer.ids, 10)
        known = set(producer.ids)
        strangers = [key for key in client.scan_iter("job:orders:*-*", count=1000) if key.split(":")[2] not in known]
        case.expect(not strangers, f"a job that was refused is not there: {strangers[:3]}")
        case.allow(lookups=range(len(producer.ids)))  # where a worker was faster, the list does not hold the job
        client.acl_deluser("narrow")
    case.figures |= {
        "half_states": len(half) + len(strangers),
        "refused": len(at_queue_time) + len(at_exec) + producer.refused.total(),
    }


async def _refusals(case: Case, url: str, count: int, customers: Any) -> list[str]:
    """Return the names of the errors that creating jobs raised."""
    found = []
    flow = case.flow(url)
    for number in range(count):
        try:
            await flow.create_job(Order(number=number, customer=list(customers)[number % len(customers)]))
            found.append("nothing")
        except FlowsError as error:
            found.append(type(error).__name__)
    await flow.stop_all()
    return found


#: What producers and workers send, and what their scripts call.
_NEEDED: Final = (
    "evalsha", "eval", "multi", "exec", "hset", "hget", "hmget", "hdel", "hgetall", "rpush", "lpush", "lrange", "ltrim",
    "llen", "zadd", "zrange", "zrem", "bzpopmin", "expire", "pexpire", "exists", "type", "get", "set", "time",
    "sadd", "srem", "scard", "persist", "hlen",
)  # fmt: skip


@row("C20", "the account lacks one right that is needed, one after the other", long=True, limit=180)
def c20(case: Case) -> None:
    """Whoever starts is told by a typed error that names what is missing."""
    at_start, told, silent = [], [], []
    with case.server.client() as client:
        for command in _NEEDED:
            client.acl_setuser("narrow", reset=True, enabled=True, passwords=["+pw"], categories=["+@all"],
                               commands=[f"-{command}"], keys=["*"], channels=["*"])  # fmt: skip
            # In a namespace of its own: a script that ends in the middle leaves what the next one would meet.
            when, texts = asyncio.run(_live_without(case, command))
            client.delete(*client.keys(f"{command}:*"), "none")
            if any(command in text.lower() for text in texts):
                (at_start if when == "start" else told).append(command)
            elif when != "never":
                silent.append(command)
        client.acl_deluser("narrow")
    case.expect(not silent, f"somebody names what is missing, but not: {', '.join(silent)}")
    case.expect(not told, f"it is named at the start, and not later: {', '.join(told)}")
    case.figures |= {"rights": len(_NEEDED), "named_at_start": len(at_start), "named_later": len(told)}


async def _live_without(case: Case, command: str) -> tuple[str, list[str]]:
    """Start, create and work for a moment; return when something went wrong, and all that was said."""
    url = f"redis://narrow:pw@127.0.0.1:{case.server.port}/0"
    flow, log = case.flow(url, namespace=f"{command}:"), _Log()
    texts, when = log.texts, "start"
    logging.getLogger("flows").addHandler(log)
    add_workers(flow, Ledger(case.directory / "aside"))
    try:
        await flow.start_all()
        when = "later"
        job_id = await flow.create_job(Order(kind="children:1;retry:0.1@1"))
        if (await flow.wait_for(job_id, 2.5)).status == "done":
            when = "never"
    except (StoreError, TimeoutError) as error:
        texts.append(str(error))
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        case.expect(None, f"errors are typed, and not {error!r}")
    finally:
        logging.getLogger("flows").removeHandler(log)
        await flow.stop_all(0)
    return when, texts


class _Log(logging.Handler):
    """Keeps what is logged at WARNING and above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
