"""stream: text that running functions stream is written on behalf of their attempts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.world import HOUR, NOW, World, processing


def pieces(job_id: str, *texts: str, fence: int = 1, skipped: int = 0) -> list[Any]:
    """Return the arguments of what one job has streamed."""
    objects = [json.dumps({"text": text}, separators=(",", ":")) for text in texts]
    return [job_id, fence, skipped, len(objects), *objects]


def streamed(world: World, name: str = "shop:1") -> list[tuple[int, str]]:
    """Return the position and the text of each piece of a job."""
    found: Any = world.redis.xrange(world.key("streams", name))
    return [(int(entry_id.partition("-")[0]), json.loads(fields["piece"])["text"]) for entry_id, fields in found]


#: What a piece of one letter takes, with its time.
ONE = len(f'{{"at":{NOW},"text":"a"}}')


def test_writes_the_text_of_its_own_jobs(world: World) -> None:
    """In order, each at the position of its first byte; what a lost attempt or one of a missing job streams is dropped.

    The job has a line by which the stream lives as long as it does; nothing else of it changes.
    """
    world.seed(jobs={"shop:1": processing(), "shop:2": processing(_fence="2")})
    rest = [*pieces("1", "a", "b"), *pieces("2", "lost"), *pieces("3", "gone")]
    assert world.run("stream", *rest) == ["ok", "stale", "gone"]
    assert world.run("stream", *pieces("1", "c")) == ["ok"]
    assert streamed(world) == [(1, "a"), (1 + ONE, "b"), (1 + 2 * ONE, "c")]
    found = world.snapshot()
    assert found["jobs"] == {"shop:1": processing(_lookups="#side:1:stream"), "shop:2": processing(_fence="2")}
    assert list(found["streams"]) == ["shop:1"]
    entries: Any = world.redis.xrange(world.key("streams", "shop:1"))
    assert json.loads(entries[0][1]["piece"])["at"] == NOW


def test_keeps_the_newest_bytes_and_shows_what_is_missing(world: World) -> None:
    """Of three pieces two fit, over all calls; bytes that were skipped are missing between positions."""
    world.seed(jobs={"shop:1": processing()})
    for text in "abc":
        world.run("stream", *pieces("1", text), most_bytes=2 * ONE)
    assert streamed(world) == [(1 + ONE, "b"), (1 + 2 * ONE, "c")]
    world.run("stream", *pieces("1", "d", skipped=10), most_bytes=2 * ONE + 10)
    assert streamed(world) == [(1 + 2 * ONE, "c"), (11 + 3 * ONE, "d")]


@pytest.mark.parametrize("status", ["waiting", "delayed", "children", "done", "failed", "cancelled"])
def test_an_attempt_that_has_ended_streams_no_more(world: World, status: str) -> None:
    """Who reads up to the end of the job has read all: nothing is written behind it."""
    world.seed(jobs={"shop:1": {**processing(), "_status": status}})
    assert world.run("stream", *pieces("1", "late")) == ["stale"]
    assert "streams" not in world.snapshot()


@pytest.mark.parametrize("life", [HOUR, -1])
def test_a_stream_lives_as_long_as_its_job(world: World, life: int) -> None:
    """Its hash says so once; what ends the job gives both the same time."""
    key = world.key("jobs", "shop:1")
    world.seed(jobs={"shop:1": processing(_lookups="tag:#side:1:stream")}, processing={"pick": {"1": NOW + 9}})
    world.redis.persist(key)
    if life > 0:
        world.redis.pexpire(key, life)
    for _ in range(2):
        world.run("stream", *pieces("1", "a"))
        assert world.lives("streams", "shop:1", life) if life > 0 else world.life("streams", "shop:1") == -1
    assert world.job("shop:1")["_lookups"] == "tag:#side:1:stream\n#side:1:stream"
    assert world.report(["finish", "1", 1, 1, ""]) == ["ok"]
    assert world.lives("streams", "shop:1", HOUR)
    assert world.life("streams", "shop:1") <= world.life("jobs", "shop:1") + 1000


def test_it_goes_with_its_job(world: World) -> None:
    """Nothing of a job that was deleted stays."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    world.run("stream", *pieces("1", "a"))
    assert world.run("delete", id="1") == ["deleted", []]
    assert world.snapshot() == {}


def test_a_key_of_another_type_costs_others_nothing(world: World) -> None:
    """Nothing is written where the stream is not ours, and the other jobs of the call have their text."""
    world.seed(jobs={"shop:1": processing(), "shop:2": processing()})
    world.redis.set(world.key("streams", "shop:1"), "not ours")
    assert world.run("stream", *pieces("1", "a"), *pieces("2", "b")) == ["conflict", "ok"]
    assert world.job("shop:1") == processing()
    assert streamed(world, "shop:2") == [(1, "b")]


def test_goes_on_behind_what_is_not_ours(world: World) -> None:
    """What somebody else has added counts as some bytes."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.xadd(world.key("streams", "shop:1"), {"x": "four"}, id="7-3")
    world.run("stream", *pieces("1", "a"))
    found: Any = world.redis.xrange(world.key("streams", "shop:1"))
    assert [entry_id for entry_id, _fields in found] == ["7-3", "11-0"]


def test_a_call_that_is_sent_twice_adds_its_text_once(world: World) -> None:
    """An answer that was lost leaves no text in the stream twice."""
    world.seed(jobs={"shop:1": processing()})
    call = world.settings.new_call()
    for _ in range(2):
        assert world.run("stream", *pieces("1", "a"), call=call) == ["ok"]
    assert streamed(world) == [(1, "a")]
