"""Rows A1 to A4, A10, A15, A16: worker processes that are killed, or kill themselves with what they run."""

from __future__ import annotations

import json
import signal
import time

from tests.faults.auditor import audit
from tests.faults.case import Case, row
from tests.faults.flow_under_test import make_options
from tests.faults.proxy import Proxy

#: How often a poison job may begin: two rescues beside others, then three crashes of its own.
_POISON_RUNS = 5
_POISONS = ("abort", "segv", "overflow", "exit")
#: What must never be found, not even in the middle of a storm.
_NEVER = ("orphan_hashes", "dup_ids", "lease", "ghost_ids", "ended_ids", "immortal", "lost")


@row("A1", "killed between claim and lease")
def a1(case: Case) -> None:
    """Eight workers of a short life; whenever all are dead, everything that was claimed has an owner and a lease."""
    case.recovers_at = "none"  # whoever gets a job next is killed too: only the last deaths are measured
    ids = case.create(1500, lambda number: "slow:0.002" if number % 3 else "children:1;slow:0.001")
    fleet = case.fleet(concurrency=8)
    kills = held = unowned = 0
    for _ in range(3):
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            fleet.fill(8)
            time.sleep(0.04)
            old = [process for process in fleet.alive if time.monotonic() - process.started > 0.25]
            if old:
                fleet.kill(case.random.choice(old))
                kills += 1
        case.wait_until(lambda: case.processing("pick"))  # on a busy machine it takes long to begin
        kills += len(fleet.alive)
        fleet.kill(*fleet.alive)
        fleet.wait(*fleet.processes)
        with case.server.client() as client:
            found = audit(client, make_options(case.server.url, lease=case.lease))
        held += sum(len(case.processing(queue)) for queue in ("pick", "pack", "pack:label", "pack:box", "ship"))
        wrong = [violation.text for violation in found.violations if violation.kind in _NEVER]
        unowned += len(wrong)
        case.expect(not wrong, f"with all workers dead, each job is in one place and owned: {wrong[:3]}")
    case.figures.update(kills=kills, processing_at_death=held, unowned=unowned)
    case.expect(held > 0, "some jobs were in flight when their workers died")
    began = time.monotonic()
    fleet.spawn(2, concurrency=16)
    case.wait_done(ids, 20)
    rescued = [entry.t for entry in case.entries("NOTE") if entry.fields["what"] == "job.rescued"]
    case.recovery(t - began for t in rescued if t > began)


@row("A2", "killed after the claim's reply, before user code")
def a2(case: Case) -> None:
    """Jobs that their worker had claimed and not begun run elsewhere in time, as a second attempt."""
    fleet = case.fleet()
    for point in ("before-user-code", "after-claim-reply"):
        ids = case.create(20, "slow:0.01")
        [victim] = fleet.spawn(queues=["pick"], failpoints=f"{point}=kill@{case.random.randint(1, 3)}")
        case.expect(fleet.wait(victim) and victim.status == -signal.SIGKILL, f"{point} kills the worker")
        held = case.processing()
        case.expect(held, f"{point}: the worker had claimed something")
        [healthy] = fleet.spawn()
        case.expect(not case.wait_done(ids, 10), f"{point}: all jobs end")
        again = [entry for entry in case.starts(pid=healthy.pid, queue="pick") if entry.job_id in held]
        case.recovery(entry.t - victim.ended for entry in again)
        attempts = {int(entry.fields["attempt"]) for entry in again}
        case.expect(attempts == {2}, f"{point}: what was claimed is on its second attempt, not on {attempts}")
        fleet.kill(healthy)


@row("A3", "killed after the side effect, before it was told")
def a3(case: Case) -> None:
    """The effect is repeated, once for each kill and under the same idempotency key."""
    kills = 3
    case.lease = 3.0  # on a busy machine too, nothing else is rescued
    ids = case.create(24, "slow:0.03")
    fleet = case.fleet(concurrency=1)
    victims = fleet.spawn(kills, queues=["pick"], failpoints=f"after-user-code=kill@{case.random.randint(2, 4)}")
    case.expect(fleet.wait(*victims), "each victim kills itself after an effect")
    fleet.spawn(2)
    case.wait_done(ids, 10)
    effects = case.entries("EFFECT")
    jobs = {(entry.job_id, entry.fields["queue"]) for entry in effects}
    case.expect(len({entry.key for entry in effects}) == len(jobs), "a job has one key in a queue, whoever runs it")
    case.expect(
        len(effects) - len(jobs) == kills, f"{kills} kills repeat as many effects, not {len(effects) - len(jobs)}"
    )
    case.figures["kills"] = kills


@row("A4", "killed after the end was stored, its reply unread")
def a4(case: Case) -> None:
    """A job whose end is stored is not run again: neither when its worker dies of it, nor when it asks once more."""
    with Proxy(case.server.port) as proxy:
        fleet = case.fleet(concurrency=1)
        fleet.spawn(queues=["pick", "pack"])
        for at, dies in enumerate((True, False, True, False)):
            ids = case.create(1, f"ship=gate:{at}")
            [victim] = fleet.spawn(queues=["ship"], url=proxy.url)
            case.wait_starts(1, pid=victim.pid)
            proxy.blackhole("down")
            case.open_gate(str(at))
            case.expect(not case.wait_done(ids, 4), "the end arrives at the server")
            if dies:
                fleet.kill(victim)
            proxy.cut_all()
            proxy.open()
            if not dies:
                told = case.wait_until(lambda pid=victim.pid: any(e.pid == pid for e in case.entries("DONE")))
                case.expect(told, "the worker asks again, and hears that the end was stored")
                fleet.terminate(victim)
            fleet.wait(victim)
        fleet.spawn()
        time.sleep(case.t_rec)
    runs = [entry.key for entry in case.starts()]
    case.expect(len(runs) == len(set(runs)) == 8, f"nothing runs twice: {len(runs)} runs of 8")


@row("A10", "poison jobs: abort, SIGSEGV, stack overflow, exit")
def a10(case: Case) -> None:
    """Each poison ends as failed when it has crashed its workers so often; the good jobs beside them are all done."""
    good = 1000
    case.recovers_at = "rescue"  # whoever gets a job next may die of another one, before it begins
    fleet = case.fleet()

    def work(ids: list[str], seconds: float) -> float:
        began = time.monotonic()
        case.expect(not case.wait_done(ids, seconds, lambda: fleet.fill(4)), "all good jobs end")
        return time.monotonic() - began

    fleet.spawn(4)
    alone = work(case.create(good // 4, "slow:0.02"), 20) * 4
    at = {case.random.randrange(good): poison for poison in _POISONS}
    ids = case.create(good + len(at), lambda number: at.get(number, "slow:0.02"))
    poison = [job_id for number, job_id in enumerate(ids) if number in at]
    beside = work([job_id for job_id in ids if job_id not in poison], 30)
    case.expect(not case.wait_done(poison, 30, lambda: fleet.fill(4)), "the poison jobs end")
    for name, fields in zip(at.values(), case.hashes(poison), strict=True):
        case.expect('"Poison"' in fields.get("_error", ""), f"{name} fails as poison, not by {fields.get('_error')}")
    runs = [len(case.entries("START", job_id=job_id)) for job_id in poison]
    case.expect(max(runs) <= _POISON_RUNS, f"no poison begins more than {_POISON_RUNS} times: {runs}")
    dead = [process for process in fleet.processes if process.status]
    case.figures.update(crashes=len(dead), runs_of_poison=max(runs), loss_percent=round(100 - 100 * alone / beside))
    states = case.count(ids)
    case.expect(states["failed"] == len(poison), f"only the poison fails: {states}")


@row("A15", "rescuers killed in the middle; two, then ten at once")
def a15(case: Case) -> None:
    """Each lease that is over is taken back once, however many look for it, and die of it."""
    case.recovers_at = "none"  # all leases shall be over when all begin to look
    fleet = case.fleet(queues=["pick"], concurrency=300)
    for count, jobs in ((2, 150), (10, 300)):
        ids = case.create(jobs, "gate:go@1")
        [victim] = fleet.spawn()
        case.wait_starts(jobs, pid=victim.pid)
        fleet.kill(victim)
        fleet.wait(victim)
        time.sleep(case.lease)
        began = time.monotonic()
        rescuers = fleet.spawn(count // 2, failpoints="in-rescue=kill@1", concurrency=1)
        rescuers += fleet.spawn(count - count // 2, concurrency=8)
        rescuers += fleet.spawn(queues=["pack", "ship"])
        case.expect(not case.wait_done(ids, 15), "all jobs end")
        again = {entry.job_id: entry.t - began for entry in case.starts(queue="pick") if entry.t > began}
        case.recovery(again[job_id] for job_id in ids)
        taken, wrong = 0, []
        for job_id, fields in zip(ids, case.hashes(ids), strict=True):
            back = [line for line in map(json.loads, fields["_history"].split("\n")) if line["queue"] == "pick"]
            rescued = [line["attempt"] for line in back if line["verb"] == "rescue"]
            taken += len(rescued)
            left = sum(line["verb"] != "advance" for line in back)
            if not len(set(rescued)) == len(rescued) >= 1 or int(fields["pick_fence"]) != left + 1:
                wrong.append(
                    f"{job_id} was handed out {fields['pick_fence']} times; its attempts {rescued} were rescued"
                )
        case.expect(not wrong, f"no attempt is rescued twice, but of {len(wrong)} jobs: {wrong[:3]}")
        case.figures["rescues_per_job"] = max(taken / jobs, case.figures.get("rescues_per_job", 0))
        fleet.kill(*rescuers)


@row("A16", "the server is killed and restarted in the middle of a rescue", long=True)
def a16(case: Case) -> None:
    """Nothing is stranded when the server dies between two scripts of a rescue."""
    ids = case.create(250, "gate:go@1")
    fleet = case.fleet(concurrency=250)
    [victim] = fleet.spawn(queues=["pick"])
    case.wait_starts(250, pid=victim.pid)
    fleet.kill(victim)
    [rescuer] = fleet.spawn(failpoints="in-rescue=stop@1")
    case.expect(fleet.wait_stopped(rescuer), "the rescuer stands still in the middle of its rescue")
    case.server.kill()
    case.server.restart()
    began = time.monotonic()
    fleet.cont(rescuer)
    case.expect(not case.wait_done(ids, 15), "all jobs end")
    case.resumed(began)
