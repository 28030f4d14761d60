"""Rows A5 to A9: workers that stand still, hang or are late, and come back when another one has their jobs."""

from __future__ import annotations

import time

from tests.faults.case import Case, row
from tests.faults.fleet import Fleet, Process
from tests.faults.proxy import Proxy

#: How a zombie ends its attempt, by what the row calls it. It waits for its gate before; its successor, in the middle
#: of the job, waits for another one.
_WRITES = {
    "done": "gate:go@1;gate:end@2",
    "fails": "gate:go@1;fail@1;gate:end@2",
    "raises": "gate:go@1;raise@1;gate:end@2",
    "retries": "gate:go@1;retry:0@1;gate:end@2",
    "snoozes": "gate:go@1;snooze:0@1;gate:end@2",
    "cancels": "gate:go@1;cancel@1;gate:end@2",
    "progress": "gate:go@1;progress:0.9@1;gate:end@2",
    "log": "gate:go@1;log:zombie@1;gate:end@2",
}
#: The renewer sleeps through it all, so that the zombie does not hear that it is one.
_DEAF = "before-renew=sleep:30"


def _take(case: Case, fleet: Fleet, count: int, **spec: object) -> Process:
    """Start a worker and return it when it has begun so many jobs."""
    [process] = fleet.spawn(**{"queues": ["pick"], "concurrency": 32, **spec})
    case.wait_starts(count, pid=process.pid)
    return process


@row("A5", "stopped past its lease, then continued")
def a5(case: Case) -> None:
    """What the successor wrote stands; the zombie hears that it lost its jobs, and its functions are cancelled."""
    kinds = ("gate:open@1", "gate:shut@1", "gate:open@1;gate:end@2", "gate:shut@1;gate:end@2")
    case.lease = 3.0  # on a busy machine too, the successor keeps what it has
    ids = case.create(12, lambda number: kinds[number % 4])
    fleet = case.fleet()
    zombie = _take(case, fleet, len(ids))
    fleet.stop(zombie)
    [healthy] = fleet.spawn(concurrency=16)
    case.wait_starts(len(ids), pid=healthy.pid, queue="pick")
    over = [job_id for at, job_id in enumerate(ids) if at % 4 < 2]
    case.expect(not case.wait_done(over, 10), "the successor ends half of the jobs, and has the others in flight")
    before = case.hashes(ids)
    case.open_gate("open")
    fleet.cont(zombie)
    heard = case.wait_until(lambda: len(_refused(case, zombie)) >= len(ids), 5)
    refused = _refused(case, zombie)
    case.expect(heard, f"the zombie hears of all {len(ids)} jobs that they are lost, not of {len(refused)}")
    case.expect(_cancelled(case, 1) >= set(ids[1::2]), "the functions that still run are cancelled")
    case.expect(case.hashes(ids) == before, "not a field of the jobs has changed")
    case.open_gate("end")
    case.expect(not case.wait_done(ids, 10), "the successor ends the other half")
    attempts = {int(entry.fields["attempt"]) for entry in case.starts(queue="pick")}
    case.expect(attempts == {1, 2}, f"the zombie costs one attempt, and no retry: {attempts}")
    case.figures.update(stale_seen=len(ids), stale_refused=len(refused))


def _refused(case: Case, process: Process) -> set[str]:
    """Return the jobs of which a process was told that it has lost them."""
    lost = [entry for entry in case.entries("NOTE", "REFUSED") if entry.pid == process.pid]
    return {entry.job_id for entry in lost if entry.kind == "REFUSED" or entry.fields["what"] == "job.lost"}


@row("A6", "a zombie fails, retries, snoozes, cancels, reports, fans out")
def a6(case: Case) -> None:
    """Whatever a zombie still writes is refused: it does not know what it is, and sends it."""
    case.options["retries"] = {"max_attempts": 5, "backoff": 0.01}
    fleet = case.fleet()
    ids = case.create(len(_WRITES) * 3, lambda number: list(_WRITES.values())[number % len(_WRITES)])
    zombie = _take(case, fleet, len(ids), failpoints=_DEAF)
    fleet.stop(zombie)
    [healthy] = fleet.spawn(concurrency=32)
    case.wait_starts(len(ids), pid=healthy.pid, queue="pick")
    before = case.hashes(ids)
    case.open_gate("go")
    fleet.cont(zombie)
    case.wait_until(lambda: len(_stale(case, zombie)) >= len(ids))
    stale = _stale(case, zombie)
    for at, kind in enumerate(_WRITES):
        mine = set(ids[at :: len(_WRITES)])
        case.figures[f"refused_{kind}"] = len(mine & stale)
        case.expect(mine <= stale, f"each of the zombie's attempts that {kind} is refused")
    case.expect(case.hashes(ids) == before, "not a field of the jobs has changed")
    case.expect(not _written(before), "neither progress nor log of the zombie is there")
    case.open_gate("end")
    case.expect(not case.wait_done(ids, 10), "the successor ends all jobs")
    case.expect(case.count(ids) == {"done": len(ids)}, f"all are done: {case.count(ids)}")
    fleet.kill(zombie, healthy)
    _fan_out(case)


def _stale(case: Case, process: Process) -> set[str]:
    return {entry.job_id for entry in case.entries("REFUSED") if entry.pid == process.pid}


def _written(hashes: list[dict[str, str]]) -> list[str]:
    return [fields["_progress"] for fields in hashes if "_progress" in fields]


def _fan_out(case: Case) -> None:
    """Stop two workers of the parent queue in the middle of creating children, and let them go on too late."""
    fleet = case.fleet()
    few, many = case.create(1, "children:4"), case.create(1, "children:450")
    fleet.spawn(queues=["pick"])
    case.expect(case.wait_until(lambda: _waits(case, [*few, *many])), "both jobs come to the parent queue")
    fleet.kill(*fleet.alive)
    points = ("before-turn-send=stop@2", "mid-fan-out=stop@1")
    zombies = []
    for point in points:
        zombies += fleet.spawn(queues=["pack"], failpoints=f"{point};{_DEAF}")
        case.expect(fleet.wait_stopped(zombies[-1]), f"{point} stops the worker")
    fleet.spawn(2, concurrency=16)
    case.expect(not case.wait_done([*few, *many], 15), "another worker creates the children, and all end")
    before = case.hashes([*few, *many])
    fleet.cont(*zombies)
    time.sleep(0.5)
    case.expect(case.hashes([*few, *many]) == before, "not a field of the parents has changed")
    case.expect([fields["parts"] for fields in before] == ["4", "450"], "each parent has its children once")
    case.figures["refused_fans_out"] = len(zombies)
    fleet.kill(*zombies)


def _waits(case: Case, ids: list[str]) -> bool:
    return all(fields.get("_queue") == "pack" for fields in case.hashes(ids))


@row("A7", "the same worker gets the job that its older attempt still runs")
def a7(case: Case) -> None:
    """The older attempt is cancelled; where it has ended meanwhile, it is refused: the claim counts, not the worker."""
    case.recovers_at, case.lease = "none", 2.0
    fleet = case.fleet()
    ids = case.create(4, "gate:never@1")
    worker = _take(case, fleet, len(ids), failpoints=f"before-renew=sleep:{1.6 * case.lease}@1")
    case.wait_starts(2 * len(ids), pid=worker.pid)
    cancelled = case.wait_until(lambda: _cancelled(case, 1) >= set(ids), 5)
    case.expect(cancelled, f"all {len(ids)} older attempts are cancelled, not {len(_cancelled(case, 1))}")
    case.wait_until(lambda: not case.processing())
    fleet.kill(worker)
    case.figures["stale_refused"] = _reply_under_way(case, fleet)
    fleet.spawn()
    case.expect(not case.wait_done(ids, 10), "the later attempts end")


def _cancelled(case: Case, fence: int) -> set[str]:
    notes = [entry for entry in case.entries("NOTE") if entry.fields["what"] == "cancelled"]
    return {entry.job_id for entry in notes if entry.fence == fence}


def _reply_under_way(case: Case, fleet: Fleet) -> int:
    """Let attempts end while their worker has claimed the same jobs again and does not know it yet."""
    [_busy] = case.create(1, "gate:busy")
    rescuer = _take(case, fleet, 1, concurrency=1)  # its only lane is taken: it takes back, and claims nothing
    ids = case.create(4, "gate:first@1;gate:second@2")
    with Proxy(case.server.port) as proxy:
        [worker] = fleet.spawn(queues=["pick"], concurrency=32, url=proxy.url, failpoints="before-turn-send=stop@2")
        case.expect(fleet.wait_stopped(worker), "the worker stands before its second claim")
        back = case.wait_until(lambda: case.count(ids)["waiting"] == len(ids))
        case.expect(back, "another process takes its jobs back")
        proxy.blackhole("down")
        fleet.cont(worker)
        case.wait_starts(len(ids), pid=worker.pid)
        again = case.wait_until(lambda: {fields["_fence"] for fields in case.hashes(ids)} == {"2"})
        case.expect(again, "the worker claims them again")
        case.open_gate("first")
        case.wait_until(lambda: {entry.job_id for entry in case.entries("EFFECT")} >= set(ids))
        before = case.hashes(ids)
        proxy.open()
        case.wait_until(lambda: _stale(case, worker) >= set(ids), 5)
        case.expect(_stale(case, worker) == set(ids), "what the older attempts ended with is refused")
        case.expect(case.hashes(ids) == before, "not a field of the jobs has changed")
        for name in ("second", "busy"):
            case.open_gate(name)
        case.wait_until(lambda: case.count(ids)["processing"] == 0)
        fleet.kill(worker, rescuer)
    return len(_stale(case, worker))


@row("A8", "the event loop is blocked for five leases, by sleep and by Python")
def a8(case: Case) -> None:
    """The leases are renewed by a thread; but a loop that hangs past its limit loses them."""
    hang = case.create(1, "block:4.5@1")
    fleet = case.fleet(concurrency=1)
    [hanging] = fleet.spawn(options={"hang_limit": case.lease})
    case.wait_starts(1, pid=hanging.pid)
    ids = []
    for kind in ("block", "spin"):
        ids += case.create(1, f"{kind}:{5 * case.lease}")
        [blocked] = fleet.spawn()
        case.wait_starts(1, pid=blocked.pid)
    fleet.spawn(concurrency=4)
    case.expect(not case.wait_done([*hang, *ids], 15), "all jobs end")
    runs = [len(case.starts_of(job_id, "pick")) for job_id in ids]
    case.expect(runs == [1, 1], f"a blocked loop costs no second run: {runs}")
    first, *again = case.starts_of(hang[0], "pick")
    case.expect(len(again) == 1, f"the job of the loop that hangs runs once more, not {len(again)} times")
    late = again[0].t - first.t if again else 99.0
    case.figures["hang_found_s"] = round(late, 2)
    case.expect(late < case.lease + case.t_rec, f"that is found after the limit and a recovery, not after {late:.1f} s")


@row("A9", "the interpreter's lock is held in C for three leases", long=True)
def a9(case: Case) -> None:
    """No thread can renew then: the job runs again, and what the first attempt ends with is refused."""
    ids = case.create(1, f"hold:{3 * case.lease}@1;gate:end@2")
    fleet = case.fleet()
    holding = _take(case, fleet, 1)
    [healthy] = fleet.spawn()
    case.wait_starts(1, pid=healthy.pid)
    before = case.hashes(ids)
    case.expect(case.wait_until(lambda: _refused(case, holding), 8), "the first attempt is refused")
    case.expect(case.hashes(ids) == before, "not a field of the job has changed")
    case.open_gate("end")
    case.expect(not case.wait_done(ids, 10), "the second attempt ends the job")
    case.figures["stale_refused"] = len(_refused(case, holding))
