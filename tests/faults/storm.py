"""The storm: `python -m tests.faults.storm`. Workers killed, the server restarted, the network cut, all at once.

Eight worker processes are forked from a parent that has imported everything; one is killed every 200 ms for a minute
and another takes its place; the server, with an append-only file, is killed and started again twice; the network
between workers and server is cut for two seconds in every ten. Meanwhile 50,000 jobs go through three queues, the
second of which is a parent queue with two children a job, some fail or are tried again, and an operator cancels,
deletes, retries, moves and explains them and lets some expire: before any worker comes, while the list is long, and in
the storm.
Afterwards the workers go on in peace until all is done. Then what the server has counted is held against the ledger.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from tests.faults.case import Case, Row
from tests.faults.case_runner import Result, run_case
from tests.faults.flow_under_test import QUEUES
from tests.faults.ledger import Entry
from tests.faults.proxy import Proxy
from tests.faults.steering import Operator
from tests.faults.storm_counts import check_counts, check_statistics
from tests.faults.trace import LEAVING

PROCESSES: Final = 8
KILL_EVERY: Final = 0.2
CUT_EVERY: Final = 10.0
CUT_FOR: Final = 2.0
#: When the server is killed, as parts of the storm.
RESTARTS: Final = (0.3, 0.7)
#: Longer than the network is away, as a lease has to be.
LEASE: Final = 5.0
#: How long the calm after the storm may last.
PATIENCE: Final = 600.0


def storm(jobs: int, waiting: int, seconds: float) -> Row:
    """Return the storm as a row of its own; so many of the jobs wait before the first worker comes."""

    def rage(case: Case) -> None:
        case.lease = LEASE
        case.recovers_at = "none"  # who takes a job back is killed too, and then it waits for another lease
        with Proxy(case.server.port) as proxy:
            fleet = case.fleet(proxy.url, concurrency=16)
            ids = case.create(min(jobs, waiting), kind_of)
            plain = [job_id for number, job_id in enumerate(ids) if kind_of(number) == "plain"]
            operator = Operator(case, ids, plain, proxy.url)
            operator.act(calls=len(ids) // 50)
            check_counts(case, ids)
            fleet.spawn(PROCESSES)
            creating = threading.Thread(target=lambda: ids.extend(case.create(jobs - len(ids), kind_of)))
            creating.start()
            weather = threading.Thread(target=_weather, args=(case, proxy, seconds))
            weather.start()
            began, kills = time.monotonic(), 0
            with operator:
                while time.monotonic() - began < seconds:
                    time.sleep(KILL_EVERY)
                    fleet.fill(PROCESSES)
                    fleet.kill(case.random.choice(fleet.alive))
                    kills += 1
                    fleet.fill(PROCESSES)
            weather.join()
            creating.join(PATIENCE)
            case.expect(len(ids) == jobs, f"the producer ends, though the server went twice: {len(ids)} jobs")
            case.figures["kills"] = kills
            case.figures["cuts"] = proxy_cuts(seconds)
            case.figures["restarts"] = len(RESTARTS)
            case.figures["done_in_the_storm"] = case.count(ids)["done"]
            left = case.wait_done(ids, PATIENCE, each=lambda: fleet.fill(PROCESSES), pause=0.5)
            case.figures["seconds_until_all_was_done"] = round(time.monotonic() - began, 1)
            case.expect(not left, f"every job ends: {len(left)} have not")
            empty = case.wait_until(lambda: not standing(case), PATIENCE, pause=0.2)
            case.expect(empty, f"nothing is left in any queue: {standing(case)} ids are")
            fleet.finish()
        case.expect(not operator.broken, f"the operator meets no errors but {operator.broken[:3]}")
        case.figures["operator"] = dict(sorted(operator.words.items()))
        statuses = case.statuses(ids)
        case.figures["states"] = dict(Counter(statuses.values()))
        odd = [word for word in operator.words if word.startswith("look odd") or word == "explain malformed"]
        case.expect(not odd, f"whoever looks finds nothing that is not ours: {odd[:3]}")
        check_counts(case, ids)
        check_statistics(case)
        _recorded_once(case, [job_id for job_id, state in statuses.items() if state == "done"])

    return Row("storm", "workers killed, server restarted, network cut", rage, limit=seconds + PATIENCE)


def kind_of(number: int) -> str:
    """Return what the functions do with a job: most have two children and come to their end."""
    if number % 25 == 4:
        return "plain"
    return "children:2" + {0: ";fail", 1: ";retry:0.2@1", 2: ";ship=cancel", 3: ";label=fail"}.get(number % 25, "")


#: With how many children jobs end, how many of those done, and the sum of what they made, where it is not 2 each.
ENDS: Final = {"plain": ["0", "0", "0"], "children:2;label=fail": ["2", "1", "2"]}


def standing(case: Case) -> int:
    """Return how many ids stand in any queue, and how many parents' children are still to be cancelled."""
    with case.server.client() as client, client.pipeline(transaction=False) as pipeline:
        for queue in QUEUES:
            pipeline.llen(f"queue:{queue}:waiting")
            for place in ("processing", "delayed", "children"):
                pipeline.zcard(f"queue:{queue}:{place}")
        pipeline.hlen("flows:cancelling:orders")
        return sum(map(int, pipeline.execute()))


def proxy_cuts(seconds: float) -> int:
    """Return how often the network is cut in so many seconds."""
    return int(seconds // CUT_EVERY)


def _weather(case: Case, proxy: Proxy, seconds: float) -> None:
    """Cut the network and kill the server, at their times."""
    began = time.monotonic()
    events = [(at * seconds, "kill") for at in RESTARTS]
    events += [(CUT_EVERY * number + CUT_EVERY - CUT_FOR, "cut") for number in range(proxy_cuts(seconds))]
    for at, what in sorted(events):
        time.sleep(max(0.0, began + at - time.monotonic()))
        if what == "kill":
            case.server.kill()
            case.server.restart()
        else:
            proxy.refuse()
            proxy.cut_all()
            time.sleep(CUT_FOR)
            proxy.accept()


def _recorded_once(case: Case, ids: list[str]) -> None:
    """Each attempt's end that the store took is the only one of its job in its queue."""
    done = [entry for entry in case.entries("DONE") if entry.fields.get("ending") in LEAVING]
    twice = [key for key, count in Counter(entry.key for entry in done).items() if count > 1]
    case.expect(not twice, f"nothing is recorded twice: {twice[:3]}")
    with case.server.client() as client, client.pipeline(transaction=False) as pipeline:
        for job_id in ids:
            pipeline.hmget(f"job:orders:{job_id}", "number", "parts", "parts_done", "total")
        found: list[Any] = pipeline.execute()
    wrong = [
        job_id
        for job_id, (number, *values) in zip(ids, found, strict=True)
        if values != ENDS.get(kind_of(int(number)), ["2", "2", "2"])
    ]
    case.expect(not wrong, f"each job has the results of its two children, once: {wrong[:3]}")
    notes: list[Entry] = case.entries("NOTE")
    told = Counter(str(entry.fields.get("what")) for entry in notes)
    case.figures["rescued"] = told["job.rescued"]
    case.figures["lost_leases"] = told["job.lost"]
    case.figures["refused_writes"] = len(case.entries("REFUSED"))
    case.figures["attempts"] = len(case.entries("START"))
    case.expect(not told["job.poison"], f"no job is poison: {told['job.poison']} are")


def main() -> int:
    """Run it, and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--waiting", type=int, default=25_000, help="how many of them wait before any worker comes")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the storm lasts")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flows-storm-") as directory:
        result = run_case(storm(given.jobs, given.waiting, given.seconds), given.seed, Path(directory))
    _print(result)
    return 0 if result.ok else 1


def _print(result: Result) -> None:
    console = Console(width=120)
    console.print(f"storm, seed {result.seed}, on {result.server}: {result.seconds:.0f} s")
    for name, value in {**result.own, **result.figures}.items():
        console.print(f"  {name.replace('_', ' ')}: {value}", highlight=False)
    for failure in result.failures:
        console.print(f"FAILED: {failure}", style="red", highlight=False)
    console.print("passed" if result.ok else "failed")


if __name__ == "__main__":
    sys.exit(main())
