"""Runs many random loads and storms of ruled queues: `python -m tests.faults.rules.run --loads 500 --storms 1000`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from redis import Redis, RedisError

from flows.testing import private_server
from tests.faults.rules.loads import KINDS, make
from tests.faults.rules.ruled_world import RuledWorld
from tests.faults.rules.shared_world import world_of
from tests.faults.rules.storm import Storm, storm_load
from tests.faults.rules.verdict import judged

#: So many runs share a server.
BATCH: Final = 25
STORM: Final = "storm"


@dataclass
class Tally:
    """What some runs have seen."""

    kind: str
    runs: int = 0
    wrong: dict[int, list[str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    least_use: float = 2.0

    def add(self, other: Tally) -> None:
        """Add what others have seen."""
        self.runs += other.runs
        self.wrong |= other.wrong
        self.seen.update(other.seen)
        self.least_use = min(self.least_use, other.least_use)

    def __str__(self) -> str:
        """Say it in a line."""
        use = f", use >= {self.least_use:.1%}" if self.least_use <= 1 else ""
        seen = ", ".join(f"{count:,} {what}" for what, count in self.seen.items())
        return f"{self.kind:20} {self.runs:5} runs, {len(self.wrong)} wrong{use}; {seen}"


def main() -> int:
    """Run what the command line asks for; 1 where anything was wrong."""
    given = _arguments()
    kinds = [*(given.kind or KINDS)]
    work = [(kind, seeds) for kind in kinds for seeds in _batches(given.first, given.loads)]
    work += [(STORM, seeds) for seeds in _batches(given.first, given.storms)]
    tallies = {kind: Tally(kind) for kind, _ in work}
    left = Counter(kind for kind, _ in work)
    began = time.monotonic()
    with ProcessPoolExecutor(given.processes) as pool:
        for tally in pool.map(run_batch, work):
            tallies[tally.kind].add(tally)
            left[tally.kind] -= 1
            if not left[tally.kind]:
                print(tallies[tally.kind], flush=True)  # noqa: T201 - a command
    wrong = [(kind, seed, faults) for kind, tally in tallies.items() for seed, faults in tally.wrong.items()]
    for kind, seed, faults in wrong[:50]:
        print(f"{kind} {seed}: {faults[:3]}")  # noqa: T201
    print(f"{len(wrong)} wrong of {sum(t.runs for t in tallies.values())}, {time.monotonic() - began:.0f} s")  # noqa: T201
    return 1 if wrong else 0


def run_batch(work: tuple[str, Sequence[int]]) -> Tally:
    """Run some seeds of one kind, or storms, on a server of their own."""
    kind, seeds = work
    tally = Tally(kind)
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        for seed in seeds:
            redis.flushall()
            faults = _storm(redis, seed, tally) if kind == STORM else _load(redis, kind, seed, tally)
            tally.runs += 1
            if faults:
                tally.wrong[seed] = faults
    return tally


def _load(redis: Redis, kind: str, seed: int, tally: Tally) -> list[str]:
    load = make(kind, seed)
    verdict = judged(RuledWorld(redis, "", load.queues, lease_ms=load.lease), load)
    tally.seen.update(verdict.seen)
    if verdict.use is not None:
        tally.least_use = min(tally.least_use, verdict.use)
    return verdict.problems


def _storm(redis: Redis, seed: int, tally: Tally) -> list[str]:
    load = storm_load(seed)
    storm = Storm(world_of(redis, "", load), load)
    try:
        faults = storm.storm()
    except (AssertionError, RedisError) as error:
        faults = [f"step {storm.steps}: {type(error).__name__} {error}"]
    record = storm.record
    tally.seen.update(
        {
            "jobs": len(record.jobs),
            "scripts": storm.world.scripts,
            "kills": record.kills,
            "lost answers": record.lost,
            "rescues": record.rescued,
            "calls by key": sum(n for word, n in storm.words.items() if word.startswith("by key")),
            "changes of rules": sum(n for word, n in storm.words.items() if word.startswith("set_")),
        }
    )
    return faults


def _batches(first: int, count: int) -> list[range]:
    return [range(at, min(at + BATCH, first + count)) for at in range(first, first + count, BATCH)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rules", description=__doc__)
    parser.add_argument("--loads", type=int, default=500, help="so many of each kind (default: 500)")
    parser.add_argument("--storms", type=int, default=1000, help="so many storms (default: 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kind", action="append", choices=KINDS, help="this kind of load; may be repeated")
    parser.add_argument("--processes", type=int, default=2, help="how many run at once (default: 2)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
