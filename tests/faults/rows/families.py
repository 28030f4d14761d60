"""Rows F1 to F3: parents and children, and who of them goes on how often."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Sequence
from typing import Final

import redis

from tests.faults import raw_keys
from tests.faults.case import Case, row
from tests.faults.cut import Cutter, Tried
from tests.faults.last_children_race import PAIRS, LastChildrenRace
from tests.faults.operations import of_workers

#: Where a worker of the parent queue is killed, at which passage, and how many children are asked for then.
_KILLS: Final = (
    ("before-turn-send", 1, 3),
    ("before-turn-send", 2, 17),
    ("after-turn-reply", 1, 200),
    ("after-turn-reply", 2, 5),
    ("mid-fan-out", 1, 201),
    ("mid-fan-out", 2, 450),
    ("mid-fan-out", 3, 450),
    ("after-fan-out", 1, 330),
    ("before-turn-send", 2, 250),
    ("after-turn-reply", 2, 250),
)
_CUT: Final = ("turn: await children", "fan out 450 children")


@row("F1", "killed before, while and after a parent's children are created", limit=90)
def f1(case: Case) -> None:
    """Each parent has the children that were asked for, once, whenever its worker dies; none is without a parent."""
    fleet, asked = case.fleet(concurrency=16), {}
    fleet.spawn(queues=["pick"])
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        for point, passage, count in case.random.sample(_KILLS, len(_KILLS)):
            asked.update(dict.fromkeys(case.create(2, f"children:{count}"), count))
            case.wait_until(lambda: raw_keys.standing(client, "pack", places=("waiting",)) >= 2)
            [victim] = fleet.spawn(queues=["pack"], failpoints=f"{point}=kill@{passage}")
            killed = fleet.wait(victim, timeout=5) and victim.status == -signal.SIGKILL
            case.expect(killed, f"{point}@{passage} kills a worker that creates {count} children")
        fleet.spawn(2)
        case.expect(not case.wait_done(list(asked), 20), "all parents end")
        _count_children(case, client, asked)
    case.figures["kills"] = len(_KILLS)
    tried = asyncio.run(_cut(case))
    case.expect(not any(one.violations for one in tried), f"a cut changes nothing: {[one.violations for one in tried]}")
    case.figures["cut_points"] = sum(one.points for one in tried)


def _count_children(case: Case, client: redis.Redis, asked: dict[str, int]) -> None:
    """Hold the children that are there against those that were asked for."""
    family = raw_keys.children(client)
    orphans = [key for parent, keys in family.items() if parent not in asked for key in keys]
    case.expect(not orphans, f"each child has a parent: {orphans[:3]}")
    exact = 0
    for job_id, fields in zip(asked, case.hashes(asked), strict=True):
        named = sorted(json.loads(fields["children:pack:jobs"]))
        same = sorted(family[job_id]) == named and len(named) == asked[job_id]
        exact += case.expect(
            same, f"{job_id} has {len(family[job_id])} children and names {len(named)}, of {asked[job_id]}"
        )
        ended = (fields.get("parts"), fields.get("parts_done"))
        case.expect(ended == (str(asked[job_id]),) * 2, f"{job_id} was shipped with {asked[job_id]} children: {ended}")
    runs = Counter(entry.job_id for entry in case.starts() if ":" in entry.fields["queue"])
    case.expect(len(runs) == runs.total() == sum(asked.values()), f"each child runs once: {runs.total()} runs")
    left = [key for kind in ("building", "pending") for key in client.scan_iter(f"flows:{kind}:*", count=1000)]
    case.expect(not left, f"nothing of the creation is left: {left[:3]}")
    case.figures.update(parents=len(asked), exact=exact, children=runs.total())


async def _cut(case: Case) -> list[Tried]:
    cutter = Cutter(case.server, case.directory / "cuts")
    return [await cutter.try_all(operation, at_once=4) for operation in of_workers() if operation.name in _CUT]


@row("F2", "no, one and ten thousand children; all end before their parent waits", limit=120)
def f2(case: Case) -> None:
    """Each parent goes on exactly once, however many children it has and however quick they are."""
    case.lease = 3.0  # workers have much to do at once, and shall not lose it
    kinds = ["plain"] * 100 + ["children:1"] * 100 + [f"children:{case.random.randint(2, 40)}" for _ in range(20)]
    kinds += ["children:250"] * 3 + ["children:10000"]
    case.random.shuffle(kinds)
    ids = case.create(len(kinds), lambda number: kinds[number])
    fleet = case.fleet(concurrency=64)
    fleet.spawn(queues=["pick", "ship"])
    fleet.spawn(queues=["pack:label", "pack:box"])
    # Those with many children begin to wait half a second after these may run.
    fleet.spawn(queues=["pack"], failpoints="after-fan-out=sleep:0.5")
    with case.server.client() as client:
        left = case.wait_done(ids, 60, lambda: raw_keys.rest_reconciler(client), pause=0.1)
    case.expect(not left, f"all parents end, and not all but {len(left)}")
    _went_on_once(case, ids)
    case.figures["early"] = early = _early(case)
    case.expect(early, "some parents began to wait when all of their children had ended")
    for kind, fields in zip(kinds, case.hashes(ids), strict=True):
        wanted = kind.partition(":")[2] or "0"
        case.expect(fields.get("parts_done") == wanted, f"{kind}: {fields.get('parts_done')} of them are done")


def _went_on_once(case: Case, ids: Sequence[str]) -> None:
    """Check that each parent came to the last queue once; an id that comes again is dropped, or is another visit."""
    came: dict[str, set[str]] = {job_id: set() for job_id in ids}
    for entry in case.starts(queue="ship"):
        came[entry.job_id].add(entry.key)
    often = {job_id: len(keys) for job_id, keys in came.items() if len(keys) != 1}
    case.expect(not often, f"each parent goes on once: {often}")
    with case.server.client() as client:
        twice = raw_keys.dropped(client, "misplaced")
    case.expect(not twice, f"no id stands twice in a queue: {twice} were dropped")
    visits = {fields.get("_visit") for fields in case.hashes(ids)}
    case.expect(visits == {"2"}, f"each parent leaves two queues, not {visits}")
    case.figures.update(parents=len(ids), continues=sum(map(len, came.values())) + twice)


def _early(case: Case) -> int:
    """Return how many parents began to wait when all of their children had ended."""
    with case.server.client() as client:
        parent_of = {
            key.rpartition(":")[2]: parent for parent, keys in raw_keys.children(client).items() for key in keys
        }
    waits, last = {}, dict[str, float]()
    for entry in case.entries("DONE"):
        if entry.fields["ending"] == "AwaitChildren":
            waits[entry.job_id] = entry.t
        elif entry.job_id in parent_of:
            parent = parent_of[entry.job_id]
            last[parent] = max(entry.t, last.get(parent, 0.0))
    return sum(last[parent] < waits[parent] for parent in last)


@row("F3", "the last two children end at the same instant, or twice")
def f3(case: Case) -> None:
    """The parent goes on exactly once: a child counts when it leaves the set of those that are waited for."""
    with LastChildrenRace(case.server, case.random) as race, case.server.client() as client:
        raw_keys.rest_reconciler(client)
        for number in range(300):
            race.play(PAIRS[number % len(PAIRS)])
    case.expect(not race.wrong, f"each parent goes on once, and nothing is left: {race.wrong[:3]}")
    played = race.played.total()
    case.expect(race.continues == played, f"{played} parents go on or end once each, not {race.continues} times")
    ids = []
    fleet = case.fleet(concurrency=64)
    fleet.spawn(2)
    for gate in range(3):
        ids += case.create(20, f"children:2;label=gate:{gate};box=gate:{gate}")
        case.wait_starts(40 * (gate + 1) + len(ids))
        case.open_gate(str(gate))
    case.expect(not case.wait_done(ids, 10), "all parents end")
    _went_on_once(case, ids)
    case.figures.update(rounds=played, round_continues=race.continues)
