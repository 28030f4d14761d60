"""Rows F13 and F18: idempotency keys of runs, while replies are lost, producers die, and what had the key is dead."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from flows import FlowsError, IdempotencyConflict
from tests.faults.case import Case, row
from tests.faults.proxy import Proxy
from tests.faults.runs.app_under_test import NAMESPACE, Plan, Under, make_app
from tests.faults.runs.scene import Scene

_PRODUCERS, _KEYS = 100, 10
#: Seconds for which a key stands, where it shall not stand for long.
_TTL: Final = 0.3


@row("F13", "100 producers of each key, replies cut and producers killed; keys that end", limit=120)
def f13(case: Case) -> None:
    """One run a key, known to all; other input is a conflict; and a key is free when its time is over."""
    scene = Scene(case)
    with Proxy(case.server.port) as proxy, _Cuts(proxy, case.random) as cuts:
        told = asyncio.run(_produce(scene, proxy.url))
        case.figures["cuts"] = cuts.count
    ids = {key: set(of) for key, of in told.items()}
    case.expect(all(len(of) == 1 for of in ids.values()), f"each key has one run: {ids}")
    case.expect(sum(sum(of.values()) for of in told.values()) == _PRODUCERS * _KEYS, "each producer is told")
    with case.server.client() as client:
        there = {str(key).rpartition(":")[2] for key in client.scan_iter(f"{NAMESPACE}job:run:*", _type="hash")}
    case.expect(there == {run_id for of in ids.values() for run_id in of}, f"and there are no others: {len(there)}")
    fleet = scene.fleet()
    fleet.spawn(2)
    case.expect(scene.wait_ended(list(there), 20), "each ends")
    same, conflicts = scene.do(_again)
    case.expect(same == {key: next(iter(of)) for key, of in ids.items()}, "a key stands when its run has ended")
    case.expect(conflicts == same, f"and says so to other input: {conflicts}")
    windows = scene.do(_ends)
    case.expect(len(windows) > 2, f"a key with a short time has several runs, one after another: {len(windows)}")
    apart = [after - before for before, after in pairwise(windows)]
    case.expect(min(apart) >= _TTL * 1000 - 50, f"and no two within its time: {min(apart)} ms")
    case.figures.update(keys=_KEYS, runs=len(there))
    case.expect(case.wait_until(lambda: not _open(case)), "all end")
    began = Counter(entry.job_id for entry in scene.steps(step="of-keyed"))
    case.expect(set(began.values()) == {1}, f"each runs once: {began}")
    scene.at_rest()


class _Cuts:
    """Cuts all connections of a proxy again and again, some after what was sent is done and before it is told."""

    def __init__(self, proxy: Proxy, chance: random.Random) -> None:
        self._proxy, self._chance = proxy, chance
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._cut)
        self.count = 0

    def __enter__(self) -> _Cuts:  # noqa: PYI034 - it has no subclass
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _cut(self) -> None:
        while not self._over.wait(self._chance.uniform(0.1, 0.3)):
            self._proxy.blackhole("down")
            time.sleep(0.01)
            self.count += self._proxy.cut_all()
            self._proxy.open()


async def _produce(scene: Scene, url: str) -> dict[str, Counter[str]]:
    """Let each producer start a run with each key, and try again where it was not told."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    apps = [make_app(url, scene.case.ledger, lease=scene.case.lease) for _ in range(10)]

    async def one(under: Under, chance: random.Random) -> None:
        for key in chance.sample(range(_KEYS), _KEYS):
            while True:
                try:
                    told[str(key)][await under.keyed.emit(Plan(number=key), idempotency_key=str(key))] += 1
                    break
                except FlowsError:
                    await asyncio.sleep(0.05)

    try:
        chances = [random.Random(scene.case.random.random()) for _ in range(_PRODUCERS)]  # noqa: S311 - chance
        await asyncio.gather(*(one(apps[n % len(apps)], chance) for n, chance in enumerate(chances)))
    finally:
        for under in apps:
            await under.app.stop()
    return told


async def _again(under: Under) -> tuple[dict[str, str], dict[str, str]]:
    same: dict[str, str] = {}
    conflicts: dict[str, str] = {}
    for key in range(_KEYS):
        same[str(key)] = await under.keyed.emit(Plan(number=key), idempotency_key=str(key))
        try:
            await under.keyed.emit(Plan(number=key + 1), idempotency_key=str(key))
        except IdempotencyConflict as conflict:
            conflicts[str(key)] = getattr(conflict, "run_id", "")
    return same, conflicts


async def _ends(under: Under) -> list[int]:
    """Start runs with one key that stands for a short time; return when each of them was made, in milliseconds."""
    made: dict[str, int] = {}
    end = time.monotonic() + 5 * _TTL
    while time.monotonic() < end:
        run_id = await under.keyed.emit(Plan(number=77), idempotency_key="short", idempotency_ttl=_TTL)
        made[run_id] = UUID(run_id).int >> 80
    return sorted(made.values())


def _open(case: Case) -> list[Any]:
    with case.server.client() as client:
        keys = [str(key) for key in client.scan_iter(f"{NAMESPACE}job:run:*", count=1000, _type="hash")]
        return [key for key in keys if client.hget(key, "_status") not in {"done", "failed", "cancelled"}]


@row("F18", "a key whose run has failed, has crashed its workers, was deleted", limit=120)
def f18(case: Case) -> None:
    """A key stands for its time whatever became of its run, which can be retried; and is free as soon as it is gone."""
    scene = Scene(case)

    async def start(under: Under, kind: str = "fails") -> str:
        return await under.keyed.emit(Plan(number=5, kind=kind), idempotency_key="dead")

    run_id = scene.do(start)
    fleet = scene.fleet()
    fleet.spawn(1)
    case.expect(scene.wait_ended([run_id], 20), "the run fails")
    case.expect(scene.do(start) == run_id, "its key is still its own")
    scene.do(lambda under: under.app.handle(run_id).retry())
    case.expect(case.wait_until(lambda: scene.ended([run_id]) == {"failed": 1}, 10), "and it may be retried")
    with case.server.client() as client:
        client.delete(f"{NAMESPACE}job:run:{run_id}")
    second = scene.do(start)
    case.expect(second != run_id, "when it is gone its key is free")
    case.expect(scene.wait_ended([second], 20), "the next one runs")
    with case.server.client() as client:
        client.delete(f"{NAMESPACE}job:run:{second}")
    other = scene.do(lambda under: start(under, "plain"))
    case.expect(other not in {run_id, second}, "also for other input")
    case.expect(scene.wait_ended([other], 20), "which ends")
    case.expect(scene.ended([other]) == {"done": 1}, "well")
    scene.at_rest()
