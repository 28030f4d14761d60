"""log_task: lines with their numbers, of which the last stay."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import DONE, ID, TreeWorld
from tests.world import NOW


def line(n: int, text: str) -> str:
    """Return a line as it stands."""
    return f'{{"n":{n},"at":{NOW},"text":"{text}"}}'


def test_lines_are_numbered_by_task(trees: TreeWorld) -> None:
    """With the server's time; who watches looks."""
    assert trees.run("log_task", '{"text":"x"}') == "gone"
    trees.create()
    with trees.told() as told:
        assert trees.run("log_task", '{"text":"x"}', '{"text":"y"}') == "ok"
        trees.run("log_task", '{"text":"z"}', path="#.b")
    assert trees.hash("treelog") == {
        "#.a": "2", "#.a 1": line(1, "x"), "#.a 2": line(2, "y"),
        "#.b": "1", "#.b 1": line(1, "z"),
    }  # fmt: skip
    assert told == ["", ""]


def test_the_last_lines_stay(trees: TreeWorld) -> None:
    """As many as are kept, whether they come one by one or together."""
    trees.create()
    for count in (2, 1, 5):
        trees.run("log_task", *(['{"text":"x"}'] * count), most_lines=3)
    assert sorted(trees.hash("treelog")) == ["#.a", "#.a 6", "#.a 7", "#.a 8"]


def test_a_log_lives_as_long_as_its_instance(trees: TreeWorld) -> None:
    """Also one that begins when that has ended."""
    trees.create()
    trees.begin()
    trees.write(end_record=DONE, ttl_ms=60_000)
    trees.run("log_task", '{"text":"x"}')
    assert 0 < trees.life("treelog", ID) <= 60_000


def test_what_is_sent_twice_is_written_once(trees: TreeWorld) -> None:
    """It answers the same."""
    trees.create()
    call = trees.settings.new_call()
    assert [trees.run("log_task", '{"text":"x"}', call=call) for _ in range(2)] == ["ok", "ok"]
    assert trees.hash("treelog")["#.a"] == "1"


@pytest.mark.parametrize("kind", ["tree", "treelog"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything is written."""
    trees.create()
    trees.redis.delete(trees.key(kind, ID))
    trees.redis.rpush(trees.key(kind, ID), "not ours")
    before = trees.snapshot()
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        trees.run("log_task", '{"text":"x"}')
    assert trees.snapshot() == before
