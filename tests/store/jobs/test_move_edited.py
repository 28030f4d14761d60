"""move_edited: a job that is moved has other values in some fields from then on, and is looked up by those."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import TTL, World, processing


def move(world: World, *pairs: str, edited: str = "user", enters: str = "user:8\nuser:9", **named: str | int) -> str:
    """Call the script."""
    asked: dict[str, str | int] = {"id": "1", "target": "ship", "edited": edited, "enters": enters, **named}
    return str(world.run("move_edited", *pairs, lookup_ttl=TTL, **asked))


def seed(world: World, state: str = "waiting") -> None:
    """Let a job wait that two attributes and a key look up, beside another one."""
    job = {"user": "[7, 8]", "name": '"j"', "_lookups": "user:7\nuser:8\nname:j\n#key:k"}
    if state != "waiting":
        job = processing(_status=state) | job
    lookups = {"shop:user:7": ["0", "1"], "shop:user:8": ["1", "2"], "shop:name:j": ["1"], "shop:#key:k": ["1"]}
    world.seed(jobs={"shop:1": job}, waiting={"pick": ["1"]}, lookups=lookups)


def test_it_is_looked_up_by_what_it_has(world: World) -> None:
    """It leaves the old list, comes to the new one, and stands once in the one that stays; its key stays its last."""
    seed(world)
    assert move(world, "user", "[8, 9]", "price", "3") == "moved"
    seen, job = world.snapshot(), world.job("shop:1")
    assert (job["user"], job["price"], job["name"], job["_queue"]) == ("[8, 9]", "3", '"j"', "ship")
    assert job["_lookups"].split("\n") == ["user:8", "user:9", "name:j", "#key:k"]
    assert seen["lookups"] == {
        "shop:user:7": ["0"], "shop:user:8": ["1", "2"], "shop:user:9": ["1"], "shop:name:j": ["1"],
        "shop:#key:k": ["1"],
    }  # fmt: skip
    assert seen["waiting"] == {"ship": ["1"]}
    assert 0 < world.redis.pttl(world.key("lookups", "shop:user:9")) <= TTL
    assert world.redis.zrange(world.key("prune", "shop"), 0, -1) == ["user:7"]  # its other jobs may have gone


def test_a_list_keeps_the_longer_life(world: World) -> None:
    """Another job may stand in it that is due later; where jobs have no time to live, no list has."""
    seed(world)
    long, short = world.key("lookups", "shop:user:8"), world.key("lookups", "shop:user:9")
    world.redis.pexpire(long, 3 * TTL)
    world.redis.rpush(short, "2")
    world.redis.pexpire(short, 1000)
    move(world, "user", "[8, 9]")
    assert world.redis.pttl(long) > 2 * TTL
    assert world.redis.pttl(short) > TTL / 2
    world.redis.pexpire(short, 1000)
    world.redis.pexpire(long, 1000)
    assert move(world, "user", "[8, 9]", target="pick", ttl=0) == "moved"
    assert [world.redis.pttl(key) for key in (short, long)] == [-1, -1]


def test_what_is_not_looked_up_is_only_written(world: World) -> None:
    """A value that is looked up no more leaves no line."""
    seed(world)
    assert move(world, "price", "3", edited="", enters="") == "moved"
    assert world.job("shop:1")["_lookups"].startswith("user:7\nuser:8")
    assert move(world, "user", "[]", target="pick", enters="", edited="user\nname") == "moved"
    assert world.job("shop:1")["_lookups"] == "#key:k"
    assert world.snapshot()["lookups"] == {"shop:user:7": ["0"], "shop:user:8": ["2"], "shop:#key:k": ["1"]}
    world.seed(jobs={"shop:2": {"user": "7", "_lookups": "user:7"}}, waiting={"pick": ["2"]})
    assert move(world, "user", "null", id="2", enters="") == "moved"
    assert "_lookups" not in world.job("shop:2")


@pytest.mark.parametrize("state", ["processing", "children", "done"])
def test_a_job_that_is_not_moved_is_not_edited(world: World, state: str) -> None:
    """The state is the answer, as of `move`; and a list that is none stops it before anything is written."""
    seed(world, state)
    before = world.snapshot()
    assert move(world, "user", "[9]") == state
    assert world.snapshot() == before
    world.redis.set(world.key("lookups", "shop:user:9"), "x")
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        move(world, "user", "[9]")


def test_sent_twice_it_is_done_once(world: World) -> None:
    """By the call's key."""
    seed(world)
    call = world.keys.call("c")
    assert [move(world, "user", "[9]", enters="user:9", call=call) for _again in range(2)] == ["moved"] * 2
    assert world.snapshot()["lookups"]["shop:user:9"] == ["1"]
