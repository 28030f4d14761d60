"""Random workflows of gather, wait, TaskGroup and timeouts, whose worker dies after any of their writes.

`python -m tests.workflow.steps.races --seeds 1000` plays each of a thousand with a death after each of its writes in
turn. What its code has been given and has decided before a write that stands, every later attempt is given and decides
again, in the same order; and no function whose result stands is called again.
"""

# ruff: noqa: ARG002, D102, S311, T201 - a random program by name, and a command that prints

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flows.errors import WaitTimeout
from flows.model.outcome import EventWait
from flows.model.runs.errors import StepFailed
from flows.model.runs.loaded import Arrived
from flows.model.runs.new_run import NewRun
from flows.model.runs.shape import Shape
from flows.model.runs.step_children import StepChildren
from flows.model.runs.step_record import read_record
from flows.testing.memory_run import MemoryRecorder, MemoryRun
from flows.workflow.steps.play import Body
from flows.workflow.steps.replay import Replay
from flows.workflow.steps.run_judge import RunJudge
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions

KINDS = (
    "step",
    "step",
    "sleep",
    "event",
    "slow",
    "fails",
    "child",
    "seq",
    "gather",
    "race",
    "group",
    "timeout",
    "spin",
)
LEAVES = ("step", "step", "sleep", "event", "slow", "fails", "child")


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time stands still while anything is ready, and jumps to the next timer when nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._select = self._selector.select
        self._selector.select = self._jump

    def time(self) -> float:
        """Return the loop's time."""
        return self._now

    def _jump(self, timeout: float | None = None) -> Any:
        events = self._select(0)
        if not events and timeout is None:
            raise RuntimeError("nothing is left that could happen")
        self._now += 0 if events else timeout or 0
        return events


class AnyEvent:
    """An event of any JSON, without an app."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shape: Shape[Any] = Shape(Any, "event")


@dataclass
class Node:
    """One part of a random workflow."""

    name: str
    kind: str
    parts: list[Node] = field(default_factory=list)
    number: int = 0


def grow(rng: random.Random, name: str, depth: int) -> Node:
    """Return a random part; `depth` bounds how deep its parts nest."""
    kind = rng.choice(KINDS if depth else LEAVES)
    node = Node(name, kind, number=rng.randrange(8))
    if kind not in LEAVES and kind != "spin":
        count = rng.randrange(1, 4)
        node.parts = [grow(rng, f"{name}.{n}", depth - 1) for n in range(count)]
    return node


class World:
    """One random workflow, and what its attempts have been given and have decided."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.root = Node("r", "seq", [grow(self.rng, f"r.{n}", 3) for n in range(3)])
        self.trace: list[tuple[str, str]] = []
        #: What stood for certain when an attempt ended.
        self.certain: list[tuple[str, str]] = []
        self.called: Counter[str] = Counter()
        self.called_again: list[str] = []
        self.recorded: set[str] = set()
        self.run_now: Replay | None = None

    def saw(self, name: str, what: object) -> None:
        """Note what the code was given or has decided; what it does while it is put aside is nothing of the two."""
        if self.run_now is None or not self.run_now.stopping:
            self.trace.append((name, str(what)))

    async def main(self, step: Step) -> int:
        """Run the workflow's code."""
        self.trace = []
        self.run_now = step._host.replay
        await self.run(step, self.root)
        return len(self.trace)

    async def run(self, step: Step, node: Node) -> Any:
        """Run one part."""
        return await getattr(self, f"run_{node.kind}")(step, node)

    def call(self, name: str) -> None:
        """Note that the function of a step is called."""
        self.called[name] += 1
        if name in self.recorded:
            self.called_again.append(name)

    async def run_step(self, step: Step, node: Node) -> int:
        async def body() -> int:
            self.call(node.name)
            for _ in range(node.number * 3):
                await asyncio.sleep(0)
            return node.number

        value: int = await step.run(node.name, body)
        self.saw(node.name, value)
        return value

    async def run_slow(self, step: Step, node: Node) -> int:
        async def body() -> int:
            self.call(node.name)
            await asyncio.sleep(0.001 * node.number)
            return node.number

        value = await step.run(node.name, body)
        self.saw(node.name, value)
        return value

    async def run_fails(self, step: Step, node: Node) -> int:
        async def body() -> int:
            self.call(node.name)
            if node.number % 2:
                await asyncio.sleep(3600)
            raise LookupError(node.name)

        options: StepOptions[int] = StepOptions(node.name, timeout=0.002 if node.number % 2 else None)
        try:
            await step.run(options, body)
        except StepFailed as error:
            self.saw(node.name, type(error).__name__)
        return 0

    async def run_sleep(self, step: Step, node: Node) -> int:
        await step.sleep(node.name, timedelta(milliseconds=node.number))
        self.saw(node.name, "slept")
        return 0

    async def run_event(self, step: Step, node: Node) -> int:
        event: Any = AnyEvent(f"e{node.number % 3}")
        got = await step.wait_for_event(node.name, event, key="k", timeout=timedelta(milliseconds=node.number + 1))
        self.saw(node.name, got)
        return 0

    async def run_child(self, step: Step, node: Node) -> int:
        value = await step.run_workflow(node.name, "child", node.number)
        self.saw(node.name, value)
        return 0

    async def run_spin(self, step: Step, node: Node) -> int:
        for _ in range(node.number):
            await asyncio.sleep(0)
        return 0

    async def run_seq(self, step: Step, node: Node) -> int:
        for part in node.parts:
            await self.run(step, part)
        return 0

    async def run_gather(self, step: Step, node: Node) -> int:
        await asyncio.gather(*(self.run(step, part) for part in node.parts))
        self.saw(node.name, "gathered")
        return 0

    async def run_group(self, step: Step, node: Node) -> int:
        async with asyncio.TaskGroup() as group:
            for part in node.parts:
                group.create_task(self.run(step, part))
        self.saw(node.name, "grouped")
        return 0

    async def run_race(self, step: Step, node: Node) -> int:
        tasks = [asyncio.ensure_future(self.run(step, part)) for part in node.parts]
        done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self.saw(node.name, [n for n, task in enumerate(tasks) if task in done])
        if node.number % 2:
            for task in left:
                task.cancel()
        if left:
            await asyncio.wait(left)
        after = Node(f"{node.name}.after{min(n for n, task in enumerate(tasks) if task in done)}", "step")
        return int(await self.run(step, after))

    async def run_timeout(self, step: Step, node: Node) -> int:
        async def hangs() -> int:
            self.call(f"{node.name}.hangs")
            await asyncio.sleep(3600)
            return 0

        try:
            async with asyncio.timeout(0.001 * (1 + node.number)):
                await step.run(f"{node.name}.hangs", hangs)
        except TimeoutError:
            self.saw(node.name, "timed out")
        for part in node.parts:
            await self.run(step, part)
        return 0


class Recorder(MemoryRecorder):
    """Dies after a write, and knows what the code had been given when the write was made."""

    def __init__(self, run: DyingRun) -> None:
        super().__init__(run)
        self._dying = run

    async def put(
        self,
        records: Mapping[str, bytes],
        children: Sequence[StepChildren] = (),
        waits: Sequence[EventWait] = (),
        fields: Mapping[str, bytes] | None = None,
    ) -> Arrived | None:
        run = self._dying
        seen = len(run.world.trace)
        if self._closed:
            raise asyncio.CancelledError
        run.writes += 1
        dies, before = run.writes == run.dies_at, run.rng.random() < 0.3
        if dies and before:
            await self._die()
        arrived = await super().put(records, children, waits, fields)
        run.stood(seen)
        run.world.recorded.update(name for name, raw in records.items() if read_record(name, raw).status == "done")
        if dies:
            await self._die()
        return arrived

    async def _die(self) -> None:
        self._closed = True
        run = self._dying
        run.died = True
        assert run.current is not None
        assert run.current.replay.questions.task is not None
        run.current.replay.stopping = run.current._asked_to_end = True
        run.current.replay.questions.task.cancel()
        await asyncio.sleep(0)
        raise asyncio.CancelledError


class DyingRun(MemoryRun):
    """A run whose worker dies after its n-th write, and to which events are sent at random moments."""

    def __init__(self, world: World, dies_at: int) -> None:
        super().__init__("races", children=self.child)
        self.world = world
        self.rng = random.Random(world.rng.random())
        self.dies_at = dies_at
        self.died = False
        self.writes = 0
        self.faults: list[str] = []

    def recorder(self) -> MemoryRecorder:
        """Return what writes for one attempt."""
        return Recorder(self)

    async def child(self, run: NewRun, _step: str) -> bytes:
        """Run a child, which ends after some ticks, or some time."""
        number = int(run.input)
        for _ in range(number * 7):
            await asyncio.sleep(0)
        if number % 2:
            await asyncio.sleep(0.001 * number)
        return b'{"id":"c","status":"done","result":%d}' % number

    def stood(self, seen: int) -> None:
        """Take it that what the code was given so far is certain."""
        world = self.world
        if len(world.certain) < seen:
            world.certain = world.trace[:seen]

    def check(self) -> None:
        """Hold what the code was given in this attempt against what was certain before."""
        certain, trace = self.world.certain, self.world.trace
        common = min(len(certain), len(trace))
        if certain[:common] != trace[:common]:
            first = next(n for n in range(common) if certain[n] != trace[n])
            self.faults.append(f"at {first}: was {certain[first : first + 3]}, is {trace[first : first + 3]}")

    async def _attempt(self, body: Any, threads: Any) -> None:
        beside = asyncio.get_running_loop().create_task(self.disturb())
        try:
            await super()._attempt(body, threads)
        except asyncio.CancelledError:
            if not self.died:
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            self.died = False
        finally:
            beside.cancel()
            self.check()
            await self.end_tasks()

    async def end_tasks(self) -> None:
        """End what a dead worker would have left behind: nothing."""
        mine = asyncio.all_tasks() - {asyncio.current_task()} - self._tasks  # children have workers of their own
        for task in mine:
            task.cancel()
        if mine:
            await asyncio.wait(mine)

    async def disturb(self) -> None:
        """Send an event now and then."""
        for _ in range(3):
            for _ in range(self.rng.randrange(200)):
                await asyncio.sleep(0)
            self.send(f"e{self.rng.randrange(3)}", "k", b"%d" % self.rng.randrange(9))

    async def _suspend(self, suspended: Any) -> None:
        self.stood(len(self.world.trace))
        if self.rng.random() < 0.3:
            self.send(f"e{self.rng.randrange(3)}", "k", b"%d" % self.rng.randrange(9))
        await super()._suspend(suspended)


async def play(seed: int, dies_at: int) -> DyingRun:
    """Play the workflow of a seed, whose worker dies at its n-th write; 0: it does not."""
    world = World(seed)
    run = DyingRun(world, dies_at)

    def body(_given: bytes, judge: RunJudge) -> Body:
        return Body("races", world.main, Shape(int, "output"), lambda _value: b"null", judge)

    try:
        await run.play(body)
    except WaitTimeout as error:
        run.faults.append(str(error))
    run.faults.extend(f"{name} was called again" for name in world.called_again)
    return run


async def plays(seed: int) -> list[str]:
    """Play the workflow of a seed without a death, then with one after each write; return what went wrong."""
    first = await play(seed, 0)
    faults = [f"seed {seed}: {fault}" for fault in first.faults]
    for dies_at in range(1, first.writes + 1):
        run = await play(seed, dies_at)
        faults += [f"seed {seed}, death at write {dies_at}: {fault}" for fault in run.faults]
    return faults


def run_seed(seed: int) -> list[str]:
    """Return what went wrong with the workflow of a seed, in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(plays(seed))


def main() -> int:
    """Play many seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    wrong: list[str] = []
    for seed in range(given.first, given.first + given.seeds):
        faults = run_seed(seed)
        wrong += faults
        for fault in faults[:2]:
            print(fault)
    print(f"{given.seeds} seeds, {len(wrong)} faults")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
