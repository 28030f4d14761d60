"""LastChildrenRace in which the last two children of a parent end at the same instant, by raw calls of the scripts."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from tests import world
from tests.faults.server import Server
from tests.world import World

_NAMESPACE: Final = "rounds:"
_CHILDREN: Final = {"a": "pack:label", "b": "pack:box"}

#: What one thread does: it gets its own connection's world.
Call = Callable[[World], object]


def _ends(job_id: str, verb: str) -> Call:
    """A worker reports how the attempt ended that it has of a child."""
    packed = {
        "finish": lambda: world.finish(job_id, result='{"value":1}'),
        "fail": lambda: world.fail(job_id),
        "cancel": lambda: world.cancel(job_id),
        "retry": lambda: world.retry(job_id),
    }[verb]
    return lambda here: here.report(packed(), queue=_CHILDREN[job_id])


def _delete(job_id: str) -> Call:
    """Somebody deletes a child."""
    return lambda here: here.run("delete", flow=_CHILDREN[job_id], id=job_id)


def _lose(job_id: str) -> Call:
    """The hash of a child that runs is gone, and its lease is over."""

    def call(here: World) -> object:
        queue = _CHILDREN[job_id]
        here.redis.delete(here.key("jobs", f"{queue}:{job_id}"))
        return here.run("rescue", queue=queue, now=world.NOW + 2 * world.LEASE)

    return call


@dataclass(frozen=True)
class Pair:
    """Two calls at the same instant, and what the parent hears of.

    Attributes:
        name: What it is called in the figures.
        calls: For each thread.
        ill: Whether a child does not end as done; None: that goes by which call comes first.
        before, after: Done before them, and after them.
    """

    name: str
    calls: tuple[Call, Call]
    ill: bool | None = False
    before: tuple[Call, ...] = ()
    after: tuple[Call, ...] = ()


PAIRS: Final = (
    Pair("both end", (_ends("a", "finish"), _ends("b", "finish"))),
    Pair("one fails", (_ends("a", "finish"), _ends("b", "fail")), ill=True),
    Pair("both fail", (_ends("a", "fail"), _ends("b", "fail")), ill=True),
    Pair("one is cancelled", (_ends("a", "finish"), _ends("b", "cancel")), ill=True),
    Pair("one is deleted", (_ends("a", "finish"), _delete("b")), ill=True),
    Pair("one is lost", (_ends("a", "finish"), _lose("b")), ill=True),
    Pair("one ends twice", (_ends("b", "finish"), _ends("b", "finish")), before=(_ends("a", "finish"),)),
    Pair(
        "both end twice", (_ends("a", "finish"), _ends("b", "finish")), after=(_ends("a", "finish"), _ends("b", "fail"))
    ),
    Pair(
        "one is retried after it ended",
        (_ends("b", "retry"), _ends("a", "finish")),
        before=(_ends("b", "finish"),),
        after=(_ends("b", "retry"),),
    ),
    Pair("it ends and is deleted", (_ends("b", "finish"), _delete("b")), ill=None, before=(_ends("a", "finish"),)),
)


class LastChildrenRace:
    """Rounds of that race on one server; each has a namespace of its own, which goes when the rounds are over.

    Attributes:
        continues: How often a parent went on, or ended, in all rounds.
        wrong: What was found that cannot be.
        played: How many rounds of each pair there were.
    """

    def __init__(self, server: Server, chance: random.Random) -> None:
        self.continues = 0
        self.wrong: list[str] = []
        self.played: Counter[str] = Counter()
        self._chance = chance
        self._clients = [server.client(), server.client()]
        self._start = threading.Barrier(2)
        self._threads = ThreadPoolExecutor(2)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the keys."""
        self._threads.shutdown()
        for key in self._clients[0].scan_iter(f"{_NAMESPACE}*", count=10_000):
            self._clients[0].unlink(key)
        for client in self._clients:
            client.close()

    def play(self, pair: Pair) -> None:
        """Play one round, and look at what has become of the parent."""
        number, policy = sum(self.played.values()), self._chance.choice(("continue", "fail"))
        self.played[pair.name] += 1
        worlds = [World(client, f"{_NAMESPACE}{number}:") for client in self._clients]
        here = worlds[0]
        self._seed(here, policy)
        for call in pair.before:
            call(here)
        calls = list(zip(pair.calls, worlds, strict=True))
        self._chance.shuffle(calls)
        for done in [self._threads.submit(self._at_once, *one) for one in calls]:
            done.result()
        for call in pair.after:
            call(here)
        self._look(here, f"{pair.name}, policy {policy}", fails=policy == "fail" and pair.ill)

    def _at_once(self, call: Call, here: World) -> None:
        self._start.wait()
        call(here)

    def _seed(self, here: World, policy: str) -> None:
        keys = [here.key("jobs", f"{queue}:{job_id}") for job_id, queue in _CHILDREN.items()]
        parent = world.processing("pack", _status="children", _fence="2", _next="ship")
        here.seed(
            jobs={
                "shop:p": {**parent, "_policy": policy, "children:pack:jobs": json.dumps(keys)},
                **{f"{q}:{job_id}": world.processing(q, _parent="shop:p") for job_id, q in _CHILDREN.items()},
            },
            children={"pack": {"p": world.NOW}},
            processing={queue: {job_id: world.NOW + world.LEASE} for job_id, queue in _CHILDREN.items()},
            pending={"shop:p": set(_CHILDREN)},
            parents={queue: {job_id: "shop:p"} for job_id, queue in _CHILDREN.items()},
        )

    def _look(self, here: World, what: str, *, fails: bool | None) -> None:
        found = here.snapshot()
        parent = found["jobs"]["shop:p"]
        went = found.get("waiting", {}).get("ship", []).count("p")
        self.continues += went + (parent["_status"] == "failed")
        if fails is None:
            fails = parent["_status"] == "failed"
        expected = ("failed", 0, None) if fails else ("waiting", 1, "1")
        if (parent["_status"], went, parent.get("_visit")) != expected:
            self.wrong.append(
                f"{what}: the parent is {parent['_status']}, went on {went} times, to {parent.get('_visit')}"
            )
        left = {
            kind: found[kind] for kind in ("pending", "parents", "processing", "delayed", "children") if kind in found
        }
        left.pop("pending" if fails else "", None)  # a parent that has failed waits for nobody, whoever still runs
        if left:
            self.wrong.append(f"{what}: something is left: {left}")
