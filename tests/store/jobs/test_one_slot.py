"""In one slot of a cluster all works; while that slot moves key by key, every script is refused as a whole.

A script that ran there would take for missing what has moved: it would drop waiting jobs, and tell live workers that
their leases are lost. There are two real nodes, and all hashes of jobs have moved to the other one.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import AskError, MovedError, TryAgainError

from flows.store.client.scripts import names
from flows.telemetry.events import Event
from flows.testing import private_server
from tests.faults.flow_under_test import Order, add_workers, make_flow
from tests.faults.ledger import Ledger
from tests.faults.ports import free_port
from tests.scenes import READ_ONLY, SCENES, clear, everything
from tests.tree_scenes import TREE_SCENES
from tests.waiting import blocking_until, until
from tests.world import World

_LONG = 60
_numbers = itertools.count()


@dataclass
class Nodes:
    """Two nodes of a cluster; the first has all slots."""

    url: str
    first: Redis
    second: Redis

    def half_move(self, slot: int) -> int:
        """Begin to move a slot to the second node, and move the hashes of jobs; return how many there were."""
        ids = [node.execute_command("CLUSTER", "MYID") for node in (self.first, self.second)]
        self.second.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        self.first.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        jobs = [key for key in self._keys(self.first, slot) if "}:job:" in key and self.first.type(key) == "hash"]
        self._migrate(self.first, self.second, jobs)
        return len(jobs)

    def move_back(self, slot: int) -> None:
        """Give it up: bring the keys back."""
        self.first.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")
        self._migrate(self.second, self.first, self._keys(self.second, slot))
        self.second.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")

    def _keys(self, node: Redis, slot: int) -> list[str]:
        keys: list[str] = node.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100_000)
        return keys

    def _migrate(self, source: Redis, target: Redis, keys: list[str]) -> None:
        port = target.connection_pool.connection_kwargs["port"]
        if keys:
            source.execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", *keys)


def settings() -> dict[str, str]:
    """Return those of a node, with a port for the others to speak to it."""
    return {"cluster-enabled": "yes", "cluster-port": str(free_port()), "databases": "1"}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Run two nodes that know each other."""
    ports = free_port(), free_port()
    with (
        private_server(port=ports[0], settings=settings()) as one,
        private_server(port=ports[1], settings=settings()) as two,
        Redis.from_url(one, decode_responses=True) as first,
        Redis.from_url(two, decode_responses=True) as second,
    ):
        first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        bus = first.config_get("cluster-port")["cluster-port"]
        second.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0], bus)
        for node in (first, second):
            blocking_until(lambda node=node: "cluster_state:ok" in str(node.execute_command("CLUSTER", "INFO")))  # type: ignore[misc]
        yield Nodes(one, first, second)


@pytest.fixture
def tag(nodes: Nodes) -> Iterator[str]:
    """Give the test a namespace of its own, in one slot."""
    name = f"{{t{next(_numbers)}}}:"
    yield name
    clear(World(nodes.first, name))


#: Of the keys of these none may be there, or one.
FEW_KEYS = {
    *(
        "register",
        "greet",
        "change_tenant",
        "create",
        "count_endings",
        "declare",
        "heartbeat",
        "sync",
        "ask_stacks",
        "tell_stacks",
    ),
    *TREE_SCENES,
}


@pytest.mark.parametrize("name", names())
def test_a_half_moved_slot_refuses_the_script_as_a_whole(name: str, nodes: Nodes, tag: str) -> None:
    """At the node that it leaves and at the one that it goes to; when it has stopped moving, all is as it was."""
    world, there = World(nodes.first, tag), World(nodes.second, tag)
    slot = nodes.first.execute_command("CLUSTER", "KEYSLOT", tag)
    for seed, call in SCENES[name]:
        clear(world)
        seed(world)
        before = everything(world)
        moved = nodes.half_move(slot)
        assert moved or name in FEW_KEYS
        with pytest.raises((AskError, TryAgainError)):
            call(world)
        with pytest.raises(MovedError):
            call(there)
        nodes.move_back(slot)
        assert everything(world) == before
        call(world)
        assert (everything(world) == before) == (name in READ_ONLY)


async def test_a_flow_lives_in_one_slot(nodes: Nodes, tag: str, tmp_path: Path) -> None:
    """Created, fanned out in one part and in many, tried again, cancelled, deleted: as on one server."""
    flow = make_flow(nodes.url, tag)
    add_workers(flow, Ledger(tmp_path), concurrency=20)
    async with flow:
        kinds = ["plain", "children:3", "children:450", "retry:0.01@1"]
        ids = await flow.create_jobs(Order(number=number, kind=kind, customer=7) for number, kind in enumerate(kinds))
        done = await asyncio.gather(*(flow.wait_for(job_id, _LONG) for job_id in ids))
        assert [record.status for record in done] == ["done"] * len(kinds)
        slow = await flow.create_job(Order(kind="slow:30", customer=7))
        await until(lambda: nodes.first.zscore(f"{tag}queue:pick:processing", slow))
        assert await flow.cancel_job(slow) == "requested"
        assert (await flow.wait_for(slow, _LONG)).status == "cancelled"
        assert len(await flow.get_jobs_by_key("customer", 7)) == len(kinds) + 1
        assert await flow.delete_job(ids[0])


async def test_nothing_is_lost_while_the_slot_moves_under_a_flow(nodes: Nodes, tag: str, tmp_path: Path) -> None:
    """Workers and producers wait until it has stopped moving; no job is run twice for it, and none is lost."""
    flow = make_flow(nodes.url, tag, lease=20)
    ledger = Ledger(tmp_path)
    add_workers(flow, ledger, concurrency=4)
    lost: list[Event] = []
    flow.events.subscribe(lost.append, "job.lost")
    slot = nodes.first.execute_command("CLUSTER", "KEYSLOT", tag)
    async with flow:
        ids = await flow.create_jobs(Order(number=number, kind="children:2") for number in range(100))
        await until(lambda: nodes.first.zcard(f"{tag}queue:pack:children"))
        assert await asyncio.to_thread(nodes.half_move, slot)
        late = asyncio.create_task(flow.create_job(Order(number=100)))
        await asyncio.sleep(0.5)
        assert not late.done()
        await asyncio.to_thread(nodes.move_back, slot)
        done: list[Any] = await asyncio.gather(*(flow.wait_for(job_id, _LONG) for job_id in [*ids, await late]))
    assert {record.status for record in done} == {"done"}
    starts = [entry.key for entry in Ledger.read(tmp_path) if entry.kind == "START"]
    # To give a move up, the slot has to be stable before its keys come back: what a script sees in between is lost, and
    # put right by the reconciler. On an idle machine that moment is too short for any.
    assert len(starts) - len(set(starts)) <= len(lost)
