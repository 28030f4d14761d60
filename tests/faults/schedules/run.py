"""The storm of schedules: `python -m tests.faults.schedules.run --slots 10000 --processes 10`.

Each process fires schedules and works on their runs. Their clocks are wrong by up to five minutes, one is killed
forty times and another one takes its place, and the server is killed and started again once. Then each slot has had its
run, and one only: the file lacks nothing of a slot, or all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis import Redis, RedisError

from tests.faults.clock import Clock, clock_available
from tests.faults.server import Server

NAMESPACE: Final = "storm:"
LOOKUP: Final = f"{NAMESPACE}job:run:workflow:tick"
#: The clocks are wrong by so much at most, in milliseconds.
WRONG_MS: Final = 300_000
#: What is left when the storm is over has so long to be worked on.
PATIENCE: Final = 120.0


@dataclass
class Figures:
    """What was seen."""

    slots: int = 0
    runs: int = 0
    twice: int = 0
    missing: int = 0
    open: int = 0
    kills: int = 0
    restarts: int = 0
    p50_ms: int = 0
    p95_ms: int = 0
    latest_ms: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether each slot had its run."""
        return not (self.twice or self.missing or self.open) and self.runs == self.slots > 0


class Storm:
    """Processes that fire schedules, and what is done to them."""

    def __init__(self, server: Server, stack: ExitStack, directory: Path, given: argparse.Namespace) -> None:
        """Choose wrong clocks, if there can be any."""
        self.server, self.given = server, given
        self.random = random.Random(given.seed)  # noqa: S311 - a storm
        self.clocks = []
        for number in range(given.processes if clock_available() else 0):
            clock = stack.enter_context(Clock(directory / f"clock-{number}"))
            clock.shift(self.random.randint(-WRONG_MS, WRONG_MS))
            self.clocks.append(clock)
        self.log = stack.enter_context((directory / "processes.log").open("wb"))
        self.processes = [self.spawn(number) for number in range(given.processes)]

    def spawn(self, number: int) -> subprocess.Popen[bytes]:
        """Start a process."""
        more = self.clocks[number].environment if self.clocks else {}
        arguments = (self.server.url, NAMESPACE, self.given.schedules, self.given.interval_ms)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.schedules.app", *map(str, arguments)],
            env={**os.environ, **more},
            stderr=self.log,
            stdout=self.log,
        )

    def rage(self, figures: Figures) -> None:
        """Kill and restart until there are as many slots as were asked for."""
        count, killed_at = 0, 0
        while count < self.given.slots:
            time.sleep(0.1)
            count = self.count()
            # By time, a slow machine would have no process left.
            if not self.given.kills or count - killed_at < self.given.slots / self.given.kills:
                continue
            killed_at = count
            number = self.random.randrange(len(self.processes))
            self.processes[number].kill()
            self.processes[number].wait()
            self.processes[number] = self.spawn(number)
            figures.kills += 1
            if count > self.given.slots // 2 and not figures.restarts:
                figures.restarts += 1
                self.server.kill()
                self.server.restart()

    def count(self) -> int:
        """Return how many runs there are."""
        try:
            with self.server.client() as client:
                found: Any = client.llen(LOOKUP)
                return int(found)
        except RedisError:
            return 0

    def calm(self) -> None:
        """Let nothing be fired any more, and what is left be worked on; then stop."""
        end = time.monotonic() + PATIENCE
        with self.server.client() as client:
            for number in range(self.given.schedules):
                client.hset(f"{NAMESPACE}flows:schedule:s{number}", "paused", 1)
            while time.monotonic() < end and any(
                (client.llen(f"{NAMESPACE}queue:tick:waiting"), client.zcard(f"{NAMESPACE}queue:tick:processing"))
            ):
                time.sleep(0.2)
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)


def judge(client: Redis, figures: Figures) -> None:
    """Count the runs of each slot, and how late they were."""
    ids: Any = client.lrange(LOOKUP, 0, -1)
    seen: dict[str, Counter[int]] = {}
    late: list[int] = []
    for run_id in ids:
        found: Any = client.hmget(f"{NAMESPACE}job:run:{run_id}", "_schedule", "_status", "_ended")
        slot, _, schedule = str(found[0]).partition(" ")
        seen.setdefault(schedule, Counter())[int(slot)] += 1
        if found[1] == "done":
            late.append(int(found[2]) - int(slot))
        else:
            figures.open += 1
    figures.runs = len(ids)
    for schedule, slots in seen.items():
        first, last = min(slots), max(slots)
        step = min((two - one for one, two in zip(sorted(slots), sorted(slots)[1:], strict=False)), default=1)
        expected = range(first, last + 1, step)
        figures.slots += len(expected)
        figures.twice += sum(count > 1 for count in slots.values())
        missing = [slot for slot in expected if slot not in slots]
        figures.missing += len(missing)
        figures.wrong += [f"{schedule}: no run for {slot}" for slot in missing[:3]]
    late.sort()
    if late:
        figures.p50_ms, figures.p95_ms, figures.latest_ms = late[len(late) // 2], late[len(late) * 95 // 100], late[-1]


def run(given: argparse.Namespace) -> Figures:
    """Let one storm rage."""
    figures = Figures()
    began = time.monotonic()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Server(directory / "server"))
        storm = Storm(server, stack, directory, given)
        try:
            storm.rage(figures)
            storm.calm()
        finally:
            for process in storm.processes:
                process.kill()
                process.wait()
        with Redis.from_url(server.url, decode_responses=True) as client:
            judge(client, figures)
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


def main() -> int:
    """Print the figures of one storm; 1 where a slot had no run, or two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--schedules", type=int, default=10)
    parser.add_argument("--interval-ms", type=int, default=100)
    parser.add_argument("--kills", type=int, default=40, help="0: nobody is killed, the server neither")
    parser.add_argument("--seed", type=int, default=0)
    figures = run(parser.parse_args())
    print(json.dumps({**vars(figures), "ok": figures.ok}))  # noqa: T201 - a command
    return 0 if figures.ok else 1


if __name__ == "__main__":
    sys.exit(main())
