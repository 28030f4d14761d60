"""Rows C: servers that die, lose data, are full, forget scripts, or hold what is not ours."""

from __future__ import annotations

import time

from flows import KeyConflict, StoreFull, UnsafeServer
from tests.faults.append_only_file import ends_of_creations
from tests.faults.case import Case, row
from tests.faults.file_size_recorder import FileSizeRecorder
from tests.faults.memory_filler import MemoryFiller
from tests.faults.producer import Producer
from tests.faults.rewind import rewind


def resume(case: Case, since: float, within: float = 3.0) -> None:
    """Wait until an attempt ends well after `since`, and hold that it is soon."""
    seen = case.wait_until(lambda: case.resumed(since) is not None, pause=0.05)
    case.expect(seen and case.figures["resume"] <= within, f"work goes on within {within} s")


def repairs(case: Case) -> dict[str, int]:
    """Return what the reconciler has repaired, and how often: something was half done, or damaged."""
    with case.server.client() as client:
        found = client.hgetall("flows:reconcile:orders")
    return {name.removeprefix("repaired:"): int(n) for name, n in found.items() if name.startswith("repaired:")}


def whole(case: Case, *but: str) -> None:
    """Hold that the reconciler had nothing to repair, `but` of these kinds."""
    found = {name: count for name, count in repairs(case).items() if name not in but}
    case.expect(not found, f"nothing is half done, and the reconciler repaired {found}")


def crashes(case: Case) -> int:
    """Return how often a worker met an error of its own."""
    return sum(entry.fields.get("what") == "worker.crashed" for entry in case.entries("NOTE"))


@row("C1", "kill -9 of the server under load, twice, AOF everysec")
def c1(case: Case) -> None:
    """What was answered was in the file: nothing is lost, and work goes on by itself."""
    fleet = case.fleet()
    fleet.spawn(3)
    with Producer(case, kind="children:2", pause=0.005) as producer:
        for _ in range(2):
            time.sleep(case.random.uniform(0.8, 1.6))
            case.server.kill()
            time.sleep(case.random.uniform(0.0, 0.5))
            case.server.restart()
            resume(case, time.monotonic())
    case.expect(not producer.refused, f"producers wait for a server that is soon back: {producer.refused}")
    case.wait_done(producer.ids, 20)
    whole(case)


# `appendfsync no`: what is answered is in the file, also while the disk is slow, so that the window is exact.
@row(
    "C3",
    "loss of power: the last 0.1 s or 1 s of the AOF are cut, the last record is torn",
    settings={"appendfsync": "no"},
)
def c3(case: Case) -> None:
    """Lost is what was created in the bytes that were cut, and no more; no transition is half there."""
    window = (1.0, 0.1)[case.seed % 2]
    fleet = case.fleet()
    fleet.spawn(3)
    with FileSizeRecorder(case.server) as sizes, Producer(case, kind="children:2", pause=0.01) as producer:
        time.sleep(case.random.uniform(1.6, 2.4))
        case.server.kill()
        killed = time.monotonic()
        safe = sizes.size_at(killed - window)
        torn = case.random.randrange(1, 40)
        ends = ends_of_creations(case.server.aof())
        cut = case.server.cut_tail(max(0, case.server.aof_bytes() - safe - torn))
        kept = case.server.aof_bytes()
        down = time.monotonic()
        case.server.restart()
        back = time.monotonic()
        acked = [entry.job_id for entry in case.entries("ACK") if entry.t < down]
        gone = case.count(acked)["gone"]
        behind = sum(ends.get(job_id, 0) > kept for job_id in acked)
        resume(case, back)
        time.sleep(0.5)
    case.expect(set(acked) <= ends.keys(), "what was acknowledged was in the file")
    case.expect(gone == behind, f"{gone} are lost, and {behind} were created in the bytes that were cut")
    case.allow(lost=gone)
    case.wait_done(producer.ids, 20)
    fleet.finish()
    whole(case)
    again = rewind(case.ledger.directory, down)
    case.figures |= {"window_s": window, "cut_bytes": cut, "created_there": behind, "ran_again": again}


@row("C4", "a restart with all data gone")
def c4(case: Case) -> None:
    """Workers go on: what they had in flight is refused as gone; all that was there is lost, and no more."""
    fleet = case.fleet()
    workers = fleet.spawn(3)
    with Producer(case, kind="slow:0.2", lanes=4) as producer:
        time.sleep(1)
        producer.hold()
        case.server.kill()
        lost = len(case.entries("ACK"))
        case.server.forget()
        case.server.restart()
        answered = time.monotonic()
        producer.go_on()
        resume(case, answered)
        time.sleep(1)
    case.allow(lost=lost)
    case.wait_done(producer.ids, 20)
    case.figures["gone"] = sum(entry.fields["word"] == "gone" for entry in case.entries("REFUSED"))
    fleet.reap()
    case.expect(all(worker.alive for worker in workers), "no worker ends by it")
    case.expect(not producer.refused, f"producers notice nothing: {producer.refused}")


@row("C7", "the server's memory is full, noeviction", profile="small")
def c7(case: Case) -> None:
    """New jobs are refused, jobs in flight keep their leases, end and are rescued; when there is room, all goes on."""
    case.recovers_at = "rescue"  # whoever is to begin it needs room first
    fleet = case.fleet(concurrency=8)
    ids = case.create(48, lambda number: "slow:3" if number < 16 else "plain")
    keeper, victim = fleet.spawn(2)
    case.wait_starts(16, queue="pick")
    with MemoryFiller(case.server) as filler:
        full = time.monotonic()
        held = [entry.job_id for entry in case.starts(pid=victim.pid)]
        fleet.kill(victim)
        with Producer(case, pause=0.05) as producer:
            back = case.wait_until(lambda: not set(held) & set(case.processing()), 5)
            case.expect(back, "jobs of a dead worker are taken back while the server is full")
            time.sleep(max(0.0, full + 4 - time.monotonic()))
        case.expect(set(producer.refused) == {StoreFull.__name__}, f"creation is refused: {producer.refused}")
        # Where an attempt has just ended there is room for a job or two.
        case.expect(producer.refused.total() > 10 * len(producer.ids), f"and not so {len(producer.ids)} times")
        ended = [entry for entry in case.entries("DONE") if entry.t > full + 0.5 and entry.pid == keeper.pid]
        case.expect(ended, "attempts end while the server is full")
        late = [entry for entry in case.starts() if entry.t > full + 0.5]
        case.expect(len(late) < len(ids) / 2, f"claims pause while the server is full, and {len(late)} jobs began")
        lost = [entry for entry in case.entries("NOTE") if entry.t > full and entry.fields["what"] == "job.lost"]
        case.expect(not lost, f"no lease is lost: {lost[:3]}")
        case.figures |= {"refused": producer.refused.total(), "ended_while_full": len(ended), "leases_lost": len(lost)}
        filler.drop()
        resume(case, time.monotonic())
    fleet.spawn(1)
    case.wait_done(ids + producer.ids, 15)
    case.expect(case.count(ids)["done"] == len(ids), "all that was created before is done")
    whole(case)
    with case.server.client() as client:
        hashes = sum(1 for _key in client.scan_iter("job:orders:*-*", count=1000))
    case.expect(hashes == len(ids + producer.ids), f"of refused jobs nothing is written, and there are {hashes} hashes")


@row("C8", "an eviction policy that drops keys, allkeys-lru", profile="lru")
def c8(case: Case) -> None:
    """It is refused; forced, ids without a hash are dropped and counted, and the others are done."""
    refused = ""
    try:
        case.create(1)
    except UnsafeServer as error:
        refused = str(error)
    case.expect("allkeys-lru" in refused, f"such a server is refused by name: {refused!r}")
    case.options["allow_eviction"] = True
    text = "plain" + ";" * 3_000
    with case.server.client() as client:
        ids = [job_id for _ in range(10) for job_id in case.create(150, text)]
        # What was used last is dropped last: the list of the ids, and not the hashes.
        time.sleep(1.2)
        lists = [f"job:orders:customer:{number}" for number in range(10)]
        wanted = case.random.randrange(50, 500)
        for number in range(200):
            client.touch("queue:pick:waiting", *lists)
            client.set(f"filler:{number}", "x" * 100_000)
            if client.info("stats")["evicted_keys"] > wanted:
                break
        client.delete(*(f"filler:{number}" for number in range(200)))
        ghosts = case.count(ids)["gone"]
        case.expect(client.llen("queue:pick:waiting") == len(ids), "the ids are all there, and some hashes are not")
        case.expect(ghosts, "hashes were dropped")
        workers = case.fleet(concurrency=16).spawn(2)
        case.wait_done(ids, 20)
        counted = int(client.hget("queue:pick:meta", "expired") or 0)
    case.fleets[-1].reap()
    case.expect(all(worker.alive for worker in workers), "no worker ends by it")
    case.expect(not crashes(case), "no worker meets an error")
    case.expect(counted == ghosts, f"{ghosts} ids had no hash, and {counted} are counted")
    case.allow(lost=ghosts)
    case.figures |= {"ghosts_injected": ghosts, "ghosts_counted": counted}


@row("C12", "SCRIPT FLUSH every 50 ms")
def c12(case: Case) -> None:
    """Nobody notices."""
    fleet = case.fleet()
    fleet.spawn(3)
    flushes = 0
    with case.server.client() as client, Producer(case, kind="children:2") as producer:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            client.script_flush()
            flushes += 1
            time.sleep(0.05)
    case.expect(not producer.refused, f"producers see no error: {producer.refused}")
    left = case.wait_done(producer.ids, 15)
    case.expect(not left, f"all are done, but {len(left)}")
    case.expect(not crashes(case), "no worker meets an error")
    whole(case)
    case.figures |= {"flushes": flushes, "errors": producer.refused.total() + crashes(case)}


#: Keys that the scripts meet on their way, each of which holds something else for a while.
_TARGETS = (
    "queue:pick:waiting", "queue:pick:processing", "queue:pick:delayed", "queue:pack:waiting", "queue:pack:processing",
    "queue:pack:children", "queue:pack:label:waiting", "queue:pack:box:processing", "flows:parents:pack:label",
    "queue:ship:waiting", "queue:ship:meta", "queue:ship:processing", "flows:timer:pick", "flows:wake:pick",
)  # fmt: skip
#: What the ending of a child takes its parent out of goes on without them: what stood there is not put back.
_UNGUARDED = {"queue:pack:children", "flows:parents:pack:label"}
#: What stands at the key is put aside; later it is put back, or it is gone.
_SWAP = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], 'aside') end
redis.call('SET', KEYS[1], 'not ours')
"""
_SWAP_BACK = """
redis.call('DEL', KEYS[1])
if ARGV[1] == '1' and redis.call('EXISTS', 'aside') == 1 then redis.call('RENAME', 'aside', KEYS[1]) end
redis.call('DEL', 'aside')
"""


@row("C14", "a script meets a key of the wrong type, in the middle", limit=120)
def c14(case: Case) -> None:
    """Each key in turn holds a text for a while: scripts refuse before they write, and nothing is lost."""
    fleet = case.fleet()
    fleet.spawn(2)
    kind = "retry:0.1@1;children:2"
    with case.server.client() as client, Producer(case, kind=kind, pause=0.05) as producer:
        time.sleep(0.5)
        for target in case.random.sample(_TARGETS, len(_TARGETS)):
            client.eval(_SWAP, 1, target)
            time.sleep(0.35)
            client.eval(_SWAP_BACK, 1, target, int(target not in _UNGUARDED))
            time.sleep(0.1)
    conflicts = {KeyConflict.__name__}
    case.expect(set(producer.refused) <= conflicts, f"producers see KeyConflict only: {producer.refused}")
    left = case.wait_done(producer.ids, 25)
    case.expect(not left, f"all end when the keys are ours again, but {len(left)}")
    # It says which keys it could not look at; and parents whose place was taken away on purpose have it again.
    whole(case, "error", "placed_children")
    failed = case.count(producer.ids)["failed"]
    case.figures |= {"keys": len(_TARGETS), "refused": producer.refused.total(), "failed_by_conflict": failed}
