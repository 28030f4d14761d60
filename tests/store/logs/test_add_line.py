"""add_line: who is none of a job's attempts adds a line to its log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.waiting import LONG
from tests.world import KEPT, NOW, TTL, World, finish, processing


def add(world: World, line: str = '{"status":"paid"}', **named: str) -> str:
    """Add a line to the log of the job `1`."""
    word: str = world.run("add_line", **{"id": "1", "new_line": line, **named})
    return word


def lines(world: World, name: str = "shop:1") -> list[dict[str, Any]]:
    """Return the lines of a log."""
    found: Any = world.redis.lrange(world.key("log", name), 0, -1)
    return [json.loads(line) for line in found]


@pytest.mark.parametrize("job", [{"a": "1"}, processing()], ids=["waiting", "processing"])
def test_a_line_gets_its_number_and_time(world: World, job: dict[str, str]) -> None:
    """Whatever the job does; the log is the job's own, and lives as long as it does."""
    world.seed(jobs={"shop:1": job})
    for number in range(2):
        assert add(world, json.dumps({"text": str(number)})) == "ok"
        world.now += 5
    assert lines(world) == [{"n": 1, "at": NOW, "text": "0"}, {"n": 2, "at": NOW + 5, "text": "1"}]
    assert world.job("shop:1")["_lookups"] == "#log:1"
    assert world.lives("log", "shop:1", TTL)


def test_a_job_that_has_ended_gets_lines_too(world: World) -> None:
    """As long as it is kept."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    world.report(finish("1"))
    assert add(world) == "ok"
    assert world.lives("log", "shop:1", KEPT[0])


def test_a_line_that_is_sent_twice_is_there_once(world: World) -> None:
    """The answer to the first call was lost."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    assert [add(world, call=world.keys.call("x")) for _ in range(2)] == ["ok", "ok"]
    assert len(lines(world)) == 1


def test_only_the_last_lines_are_kept(world: World) -> None:
    """Their numbers say how many are missing."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    for _ in range(5):
        add(world, most_lines="3")
    assert [line["n"] for line in lines(world)] == [3, 4, 5]


def test_a_job_that_is_gone_has_no_log(world: World) -> None:
    """Nothing is written; neither where its key holds something else."""
    assert add(world) == "gone"
    assert world.snapshot() == {}
    world.redis.set(world.key("jobs", "shop:1"), "mine")
    assert add(world) == "malformed"
    assert not world.redis.exists(world.key("log", "shop:1"))


def test_a_log_whose_key_is_taken_is_named(world: World) -> None:
    """And nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    world.redis.set(world.key("log", "shop:1"), "mine")
    with pytest.raises(ResponseError, match="flows:log:shop:1 holds a string"):
        add(world)
    assert "_lookups" not in world.job("shop:1")


@pytest.mark.parametrize(("job", "state"), [({"a": "1"}, "waiting"), (processing(), "processing")])
def test_who_listens_to_the_flow_is_told(world: World, job: dict[str, str], state: str) -> None:
    """That the job has news; it is in the state in which it was."""
    world.seed(jobs={"shop:1": job})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        for channel in (world.keys.changed("shop"), world.keys.heard("shop")):
            listener.ssubscribe(channel)
            listener.get_message(timeout=LONG)
        add(world)
        message = listener.get_message(timeout=LONG)
    assert message is not None
    assert message["data"] == f"1 {state} -"
