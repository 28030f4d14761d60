"""Rows F7 and F9: runs whose worker is killed at every point, or stopped past its lease."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tests.faults.case import Case, row
from tests.faults.fleet import Fleet, Process
from tests.faults.runs.app_under_test import TEN, Go, Plan, Under
from tests.faults.runs.at_rest import fields
from tests.faults.runs.scene import Scene, how_it_ended
from tests.waiting import slowness

#: Where the library's own points are, and those of the steps.
_POINTS: Final = ("after-claim-reply", "before-record", "after-record", "before-turn-send", "after-turn-reply")
_DIES: Final = ("before", "after")
#: So many cases run at once, each in a namespace of its own.
_AT_ONCE: Final = 8


class _Point(NamedTuple):
    where: str
    number: int
    kind: str

    @property
    def namespace(self) -> str:
        return f"{self.where}-{self.number}-{self.kind}:"


@row("F7", "killed at every point of a run of ten steps, a child, an event and a sleep", limit=600)
def f7(case: Case) -> None:
    """No recorded step runs again, and one that is not recorded once more at most; undos and what follows, each once.

    The points are gone through until a run comes to its end before its worker is killed; some runs end well, some fail.
    Three seeds have all points between them.
    """
    case.lease = 0.5 * slowness()  # a worker that is not killed must not lose it: its step would run again
    scene = Scene(case)
    fleet = scene.fleet(concurrency=4)
    points = kills = 0
    for kind in ("", "fails"):
        for where in (*_POINTS, *_DIES):
            numbers = iter(range(1 + case.seed % 3, 60, 3))
            while batch := [_Point(where, number, kind) for number in _some(numbers, _AT_ONCE)]:
                killed = _all_at_once(case, scene, fleet, batch)
                points += len(batch)
                kills += killed
                if killed < len(batch):
                    break
    case.figures.update(points=points, kills=kills)
    case.expect(kills > 20, f"runs are killed at many points, and not at {kills}")


def _some(numbers: Iterator[int], count: int) -> list[int]:
    return [number for number, _ in zip(numbers, range(count), strict=False)]


def _all_at_once(case: Case, scene: Scene, fleet: Fleet, batch: list[_Point]) -> int:
    """Run a case for each of these points; return how many workers were killed at theirs."""
    victims: dict[_Point, Process] = {}
    runs: dict[_Point, str] = {}
    for point in batch:
        runs[point] = scene.do(lambda under, point=point: _start(under, point), namespace=point.namespace)
        victims[point] = _victim(fleet, scene, point)
    left = dict(victims)

    def over() -> bool:
        fleet.reap()
        for point in list(left):
            if not left[point].alive or _ended(scene, point, runs[point]):
                del left[point]
        return not left

    case.expect(case.wait_until(over, 20, 0.02), f"each worker dies or comes to the end: {[*left]}")
    recorded = {point: _recorded(case, point, runs[point]) for point in batch}
    killed = {point for point in batch if not victims[point].alive}
    for point in killed:
        fleet.spawn(1, app=_app(scene, point))
    for point in batch:
        if case.expect(scene.wait_ended([runs[point]], 20, point.namespace), f"{point}: the run ends"):
            _judge(scene, point, runs[point], recorded[point], most=2 if point in killed else 1)
            scene.at_rest(point.namespace)
    fleet.kill(*fleet.alive)
    fleet.wait(*fleet.processes)
    return len(killed)


def _victim(fleet: Fleet, scene: Scene, point: _Point) -> Process:
    if point.where in _DIES:
        return fleet.spawn(1, app=_app(scene, point, dies=f"{point.where}:{point.number}"))[0]
    return fleet.spawn(1, app=_app(scene, point), failpoints=f"{point.where}=kill@{point.number}")[0]


def _app(scene: Scene, point: _Point, **more: str) -> dict[str, Any]:
    return {"lease": scene.case.lease, "namespace": point.namespace, "queues": ["ten"], **more}


async def _start(under: Under, point: _Point) -> str:
    handle = await under.ten.run(Plan(kind=point.kind), idempotency_key="once")
    again = await under.ten.run(Plan(kind=point.kind), idempotency_key="once")
    assert again.id == handle.id
    await handle.send(under.go, Go(value=1000), event_id="one")
    await handle.send(under.go, Go(value=1000), event_id="one")
    return handle.id


def _ended(scene: Scene, point: _Point, run_id: str) -> bool:
    return not scene.ended([run_id], point.namespace).keys() - {"done", "failed"}


def _recorded(case: Case, point: _Point, run_id: str) -> dict[str, int]:
    """Return which steps of the run are recorded now, and how many lines the ledger has of each."""
    with case.server.client() as client:
        steps = fields(client, f"{point.namespace}job:run:{run_id}")
    done = {name.removeprefix("step:") for name, value in steps.items() if value.startswith('{"status":"done"')}
    begun = [entry.fields["step"] for entry in case.entries("NOTE", job_id=run_id) if entry.fields.get("at") == "begin"]
    return {name: begun.count(name) for name in done}


def _judge(scene: Scene, point: _Point, run_id: str, recorded: dict[str, int], *, most: int) -> None:
    """Hold what a run did against what it should; `recorded`: see `_recorded`, `most`: how often a step may run."""
    case = scene.case
    outcome = scene.do(lambda under: how_it_ended(under.app.handle(run_id)), namespace=point.namespace)
    begun = [str(entry.fields["step"]) for entry in scene.steps(run_id)]
    fails = point.kind == "fails"
    case.expect(outcome == ("ValueError" if fails else TEN), f"{point}: the run ends as it should, not as {outcome}")
    steps = {f"s{n}" for n in range(8)} | ({f"undo:{n}" for n in range(8)} | {"boom", "on_failure"} if fails else set())
    counts = {step: begun.count(step) for step in steps}
    case.expect(
        all(1 <= count <= most for count in counts.values()), f"{point}: each step runs, once or twice: {counts}"
    )
    again = {step: begun.count(step) for step, count in recorded.items() if begun.count(step) > count}
    case.expect(not again, f"{point}: no recorded step runs again: {again}")
    twice = [step for step, count in counts.items() if count > 1]
    case.expect(len(twice) <= 4, f"{point}: only what was not recorded runs twice: {twice}")
    if fails:
        first = list(dict.fromkeys(step for step in begun if step.startswith("undo:")))
        case.expect(
            first[-4:] == ["undo:3", "undo:2", "undo:1", "undo:0"], f"{point}: the last is undone first: {first}"
        )
        case.expect(begun[-1] == "on_failure", f"{point}: what follows a failure comes last: {begun[-3:]}")


@row("F9", "stopped past its lease in the middle of a run, then continued", limit=150)
def f9(case: Case) -> None:
    """Nothing that the zombie does is written: no step, wait, child, end or failure."""
    scene = Scene(case)
    kinds = ("body", "step", "sleep", "child", "event", "fail", "end")
    fleet = scene.fleet()
    [zombie] = fleet.spawn(1)

    async def start(under: Under) -> list[str]:
        return [await under.zombie.emit(Plan(kind=kind)) for kind in kinds]

    ids = scene.do(start)
    case.expect(case.wait_until(lambda: len(scene.steps(step="first", at="end")) == len(kinds)), "each run begins")
    case.wait_until(lambda: _all_recorded(case, ids, "step:first"))
    fleet.stop(zombie)
    [healthy] = fleet.spawn(1)
    for kind in kinds:
        case.open_gate(kind)
    case.expect(scene.wait_ended(ids, 20), "another worker brings each run to its end")
    scene.at_rest()
    before = _all_keys(case)
    fleet.cont(zombie)
    case.expect(case.wait_until(lambda: "lost" in zombie.says() or "lease" in zombie.says(), 5, 0.05), "it hears of it")
    case.wait_until(lambda: False, case.lease, 0.1)
    after = _all_keys(case)
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    case.expect(not changed, f"the zombie writes nothing: {changed[:5]}")

    async def results(under: Under) -> list[object]:
        return [await how_it_ended(under.app.handle(run_id)) for run_id in ids]

    found = dict(zip(kinds, scene.do(results), strict=True))
    wanted = {kind: "ValueError" if kind == "fail" else healthy.pid for kind in kinds}
    case.expect(found == wanted, f"each ends as the healthy worker ended it: {found}")
    case.figures["zombie_writes"] = len(changed)


def _all_recorded(case: Case, ids: list[str], field: str) -> bool:
    with case.server.client() as client:
        return all(client.hexists(f"runs:job:run:{run_id}", field) for run_id in ids)


def _all_keys(case: Case) -> dict[str, object]:
    """Return the hash of each run."""
    with case.server.client() as client:
        return {
            str(key): client.hgetall(key)
            for key in client.scan_iter("runs:job:run:*", count=1000)
            if client.type(key) == "hash"
        }
