"""`flows trees`: instances are listed, drawn, executed and watched in a terminal."""

from __future__ import annotations

import asyncio
import json
import threading

from tests.api.conftest import Left
from tests.api.orchard import leave_trees, orchard
from tests.api.shop import CANARY
from tests.cli.conftest import Command
from tests.waiting import LONG


def test_an_instance_is_drawn(command: Command, left: Left) -> None:
    """Its tasks as a tree, each with how it stands; why it has failed; with --json all of it."""
    status, out, _err = command("trees", "show", left.ids["tree_failed"])
    assert status == 0
    drawn = out.splitlines()[2:6]
    assert [line.split("  ")[:2] for line in drawn[:2]] == [["├── pick", "ok"], ["└── work", "failed"]]
    assert [line.split()[1:3] for line in drawn[2:]] == [["press", "failed"], ["sell", "inactive"]]
    assert drawn[3].endswith("#.work.press failed")
    assert out.splitlines()[-1] == f"#.work.press: ValueError: no juice for {CANARY}"
    status, out, _err = command("tree", "show", left.ids["tree_done"], "--json")
    assert (status, json.loads(out)["states"]["#.work.sell"]["status"]) == (0, "ok")
    assert command("trees", "show", left.ids["run_done"])[0] == 3


def test_instances_are_listed(command: Command, left: Left) -> None:
    """What one looks for first stands first; a group without a verb lists."""
    status, out, _err = command("trees", "--realm", "acme")
    assert status == 0
    heading, row = out.splitlines()
    assert heading.split() == ["id", "generator", "status", "done", "updated", "realm", "name", "labels"]
    assert row.split()[:4] == [left.ids["tree_done"], "orchard.plot", "done", "100%"]


def test_an_execution_is_watched_until_its_end(command: Command, redis_url: str, namespace: str) -> None:
    """The status is that of the end; nothing is watched where no execution is under way."""
    ids = asyncio.run(leave_trees(redis_url, namespace, CANARY))
    left, done = Left(redis_url, namespace, ids), ids["tree_done"]
    assert command("trees", "watch", ids["tree_failed"], of=left)[0] == 1
    assert command("trees", "execute", done, "#.work", of=left)[0] == 0
    working = threading.Thread(target=asyncio.run, args=[_work(redis_url, namespace, done)])
    working.start()
    status, out, _err = command("trees", "watch", done, "--json", of=left)
    working.join()
    states = [json.loads(line)["status"] for line in out.splitlines()]
    assert (status, states[0], states[-1]) == (0, "working", "done")


async def _work(url: str, namespace: str, instance_id: str) -> None:
    """Have workers until an instance is done."""
    trees, plot = orchard(url, namespace)
    trees.create_workers(concurrency=2)
    async with trees, asyncio.timeout(LONG):
        instance = await plot.get(instance_id)
        assert instance is not None
        async for state in instance.watch():
            if state.status == "done":
                return
