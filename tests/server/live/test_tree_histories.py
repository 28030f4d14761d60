"""Nothing is lost: whatever becomes of messages, connections and writes, a client holds what the instance is."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from flows.server.live.tree_room import TreeRoom
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import Changes
from tests.scale import scaled
from tests.server.live.tree_world import Browser, MemoryReads, World

#: What a mutant does to what a room hears, or to where a browser goes on.
MUTANTS = ("gap", "epoch", "number")


class History:
    """One history, by a seed.

    Args:
        seed: The same seed is the same history.
        mutant: What is done wrongly.
    """

    def __init__(self, seed: int, mutant: str = "") -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a history that can be had again
        self.mutant = mutant
        self.world = World(self.rng, MemoryStorage())
        self.reads = [MemoryReads(self.world), MemoryReads(self.world)]
        self.rooms = [TreeRoom(self.world.id, reads) for reads in self.reads]
        self.browser = Browser(self.rng)

    async def run(self) -> list[str]:
        """Return in what the client ends otherwise than the instance."""
        rng = self.rng
        await self.world.create()
        for room in self.rooms:
            await room._listen()
            await room._read()
        self.browser.connect(self.rooms[0], None)
        lose: Callable[[], None] | None = None
        for _ in range(rng.randint(5, 60)):
            chance = rng.random()
            if chance < 0.5:
                await self.world.act()
                await self._tell()
            elif chance < 0.75:
                self.browser.send()
            elif chance < 0.87:
                self._come_back()
            elif chance < 0.92:
                lose = self.world.save()
            elif chance < 0.96 and lose is not None:
                await self._fail_over(lose)
            else:
                await self._look(rng.choice(self.rooms))
        return await self._end()

    async def _tell(self) -> None:
        """Let the rooms hear what the storage has told: nothing, once or twice."""
        told, self.world.told[:] = list(self.world.told), []
        for reads, room in zip(self.reads, self.rooms, strict=True):
            for one in told:
                for _ in range(self.rng.choice((0, 1, 1, 1, 2))):
                    assert reads.hear is not None
                    reads.hear(self._changed(one, room))
            await room._read()

    def _changed(self, told: Changes | None, room: TreeRoom) -> Changes | None:
        if self.mutant == "gap" and told is not None:
            return told._replace(first=min(told.first, room.snapshot.revision + 1))
        return told

    def _come_back(self) -> None:
        """Be cut off, and come back to either replica, with what has arrived."""
        cursor = self.browser.sent if self.mutant == "number" else self.browser.client.cursor
        self.browser.connect(self.rng.choice(self.rooms), cursor)

    async def _fail_over(self, lose: Callable[[], None]) -> None:
        before = self.world.lineage
        lose()
        if self.mutant == "epoch":
            self.world.lineage = before
        for room in self.rooms:  # whose connections are lost, and open again: some writes may come before
            for _ in range(self.rng.randint(0, 4)):
                await self.world.act()
            await self._look(room)
        self.world.told.clear()

    async def _look(self, room: TreeRoom) -> None:
        room._hear(None)
        await room._read()

    async def _end(self) -> list[str]:
        for room in self.rooms:
            await self._look(room)
        self.browser.receive()
        for _ in range(3):
            self.browser.send()
            self.browser.receive()
        return self.browser.client.differs(await self.world.state())


@pytest.mark.scale
async def test_whatever_happens_a_client_ends_with_the_instance_as_it_stands() -> None:
    """Messages lost and told twice, tellings cut off, two replicas, failovers that lose writes, other trees."""
    for seed in range(scaled(300, full=30_000)):
        assert await History(seed).run() == [], f"seed {seed}"


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_each_part_of_the_rule_is_needed(mutant: str) -> None:
    """Without the look for gaps, the epoch, or the client's own number after a cut, some history ends wrong."""
    wrong = [seed for seed in range(300) if await History(seed, mutant).run()]
    assert wrong, f"no history notices the mutant {mutant}"
