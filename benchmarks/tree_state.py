"""What one instance of 10,000 tasks costs in Redis: its state, and the longest that each script of its life takes.

    python benchmarks/tree_state.py [tasks]

Prints a JSON object: `load_ms` reads the records, `state_ms` makes the state of them as well, `glance_ms` is without
tasks, each the least of all rounds, and beside it the CPU time of this process; `scripts_ms` is of each script its
longest call in a life by the server's own clock, the least of several lives; `load` is that of the machine.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Any, Final

from measure import run
from redis import Redis

from flows.model.ids import new_job_id
from flows.model.job import JobError
from flows.model.tree.node import Declared, Node, Written
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.store.client.scripts import load, names
from flows.store.jobs.log_line import pack_line
from flows.testing import private_server
from flows.tree.plans import plan_of
from flows.tree.state import state_of
from flows.tree.storage.protocol import Execution, InstanceChange, InstanceRow, Token, Write
from flows.tree.storage.redis import RedisStorage

_TASKS: Final = 10_000
_GROUP: Final = 100
_ROUNDS: Final = 15
_LIVES: Final = 5
_DATA: Final = b'{"url":"https://example.org"}'


def tree(tasks: int, *, changed: bool = False) -> bytes:
    """Return a tree of groups of 99 tasks each, one after another; changed, it has other names."""
    name = "u" if changed else "t"
    groups = [
        Node(
            f"g{at}",
            order="sequence",
            tasks=tuple(Node(f"{name}{one}", works=True, writes=(Written(f"x{one}"),)) for one in range(_GROUP - 1)),
        )
        for at in range(tasks // _GROUP)
    ]
    return Declared(tuple(groups), (Written("url"),)).write()


async def measure(url: str, tasks: int) -> dict[str, Any]:
    """Let an instance live, and measure."""
    storage, description = RedisStorage(url), tree(tasks)
    paths = tuple(path for path in plan_of(description).nodes if path.count(".") > 1)
    row, execution = InstanceRow(new_job_id(), "bench", "site"), new_job_id()
    token = Token(execution)
    await storage.create(row, _DATA, description, "key")
    await storage.begin(row.id, Execution(execution, "#", paths), description, 1)
    record = TaskRecord(
        "ok", 0, execution, 1_764_172_800_000, 1_764_172_800_001, 1_764_172_801_000, 1, inputs={"#.g0.t0": 17}
    )
    for at in range(0, len(paths), 200):
        await storage.write(row.id, token, [Write(path, record, b'"a result"') for path in paths[at : at + 200]])
    for path in paths[:1000]:
        await storage.log(row.id, path, [pack_line("a line", "info", {}, 1)] * 10)

    async def state() -> object:
        snapshot = await storage.load(row.id)
        assert snapshot is not None  # noqa: S101 - it was created above
        return state_of(snapshot, plan_of(snapshot.tree))

    figures = {
        "load_ms": await timed(lambda: storage.load(row.id)),
        "state_ms": await timed(state),
        "glance_ms": await timed(lambda: storage.load(row.id, since=1 << 60)),
        "results_ms": await timed(lambda: storage.results(row.id, paths)),
    }
    error = JobError(type="E", message="m")
    last = await storage.write(row.id, token, [], InstanceRecord("failed", path=paths[0], error=error), ttl=3600)
    again = Execution(new_job_id(), "#", ())
    await storage.begin(row.id, again, tree(tasks, changed=True), last)
    last = await storage.write(row.id, Token(again.id), [], InstanceRecord("done"))
    await storage.change(row.id, InstanceChange(tree=description, data=_DATA), last)
    await storage.indexed("bench", await storage.unindexed("bench"))
    await storage.delete(row.id)
    await storage.close()
    return figures


async def timed(call: Callable[[], Awaitable[object]]) -> list[float]:
    """Return the least of how long it takes, and the least CPU time of it here, in milliseconds."""
    taken: list[tuple[float, float]] = []
    for _ in range(_ROUNDS):
        began, used = perf_counter(), process_time()
        await call()
        taken.append((perf_counter() - began, process_time() - used))
    walls, cpus = zip(*taken, strict=True)
    return [round(min(walls) * 1000, 2), round(min(cpus) * 1000, 2)]


def slowest(client: Redis) -> dict[str, float]:
    """Return the longest call of each script, and of other commands, in milliseconds."""
    scripts = {load(name).sha: name for name in names()} | {load(name).text: name for name in names()}
    found: dict[str, float] = {}
    for entry in client.slowlog_get(100_000):
        words = entry["command"].split(b" ")
        what = words[0].decode()
        if what in {"EVAL", "EVALSHA"}:
            name = scripts.get(words[1].decode("utf-8", "replace"))
            what = name if name is not None else "a script that was sent in full"
        found[what] = max(found.get(what, 0.0), entry["duration"] / 1000)
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def main() -> None:
    """Measure on a server of its own."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else _TASKS
    with private_server() as url, Redis.from_url(url) as client:
        client.config_set("slowlog-log-slower-than", 100)
        client.config_set("slowlog-max-len", 100_000)
        scripts: dict[str, float] = {}
        for _ in range(_LIVES):
            client.slowlog_reset()
            figures = run(measure(url, tasks))
            found = slowest(client)
            scripts = {name: min(scripts.get(name, took), took) for name, took in found.items()}
        print(json.dumps({"tasks": tasks, **figures, "scripts_ms": scripts, "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
