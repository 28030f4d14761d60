"""Many jobs of a queue with rules are acted on by one script: each leaves its own list, and comes to its own."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.store.rules.ruled_world import ruled_world
from tests.world import World, fail, processing

IDS = [f"{number:02}" for number in range(30)]


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Let jobs of two users and two priorities wait in `pick`."""
    world = ruled_world(redis, namespace)
    jobs = {job_id: {"_priority": str(1 + int(job_id) % 2), "user": str(int(job_id) % 3)} for job_id in IDS}
    world.seed(jobs={f"shop:{job_id}": processing(**fields) for job_id, fields in jobs.items()})
    world.seed(processing={"pick": dict.fromkeys(IDS, world.now)})
    world.report(*map(fail, IDS))
    assert world.run("retry_jobs", *IDS)[0] == ["retried"] * len(IDS)
    return world


def waiting(world: World) -> dict[str, list[str]]:
    """Return who waits in the lists of groups."""
    found: dict[str, list[str]] = world.snapshot().get("group", {})
    return found


def test_each_is_retried_into_the_list_of_its_group(world: World) -> None:
    """In the order in which they were given."""
    assert waiting(world) == {
        f"pick/{band}/{user}": [i for i in IDS if (1 + int(i) % 2, int(i) % 3) == (band, user)]
        for band in (1, 2)
        for user in range(3)
    }


@pytest.mark.parametrize(
    ("script", "word"), [("cancel_jobs", "cancelled"), ("delete_jobs", "deleted"), ("move_jobs", "moved")]
)
def test_each_leaves_the_list_of_its_group(world: World, script: str, word: str) -> None:
    """Also one whose hash goes, which alone says where it waits."""
    words = world.run(script, *IDS[:25], reason="why", target="ship")[0]
    assert words == [word] * 25
    assert sorted(i for ids in waiting(world).values() for i in ids) == IDS[25:]
    counted = world.snapshot(unseen=frozenset())["fair"]["pick"]
    assert sum(int(counted[name]) for name in ("n1", "n2")) == 5
