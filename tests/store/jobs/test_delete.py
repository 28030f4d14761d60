"""delete: a job and everything of it is removed."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import NOW, World, finish, processing

PLACES = {
    "new": ({"a": "1"}, {"waiting": {"pick": ["1"]}}),
    "waiting": ({"_status": "waiting", "_queue": "pack"}, {"waiting": {"pack": ["1"]}}),
    "processing": (processing(), {"processing": {"pick": {"1": NOW}}}),
    "delayed": ({"_status": "delayed", "_queue": "pack"}, {"delayed": {"pack": {"1": NOW}}}),
    "children": ({**processing("pack"), "_status": "children"}, {"children": {"pack": {"1": NOW}}}),
    "done": ({**processing("pick"), "_status": "done"}, {}),
    "cancelled": ({"_status": "cancelled"}, {}),
}


@pytest.mark.parametrize(("fields", "place"), PLACES.values(), ids=PLACES)
def test_nothing_of_the_job_stays(world: World, fields: dict[str, str], place: dict[str, dict[str, object]]) -> None:
    """In whatever state it is: its hash, its place, its lookup entries, its log."""
    world.seed(
        jobs={"shop:1": fields | {"_lookups": "user:7\nteam:a"}},
        lookups={"shop:user:7": ["0", "1", "2", "1"], "shop:team:a": ["1"]},
        log={"shop:1": ["a line"]},
        **place,
    )
    assert world.run("delete", id="1") == ["deleted", []]
    assert world.snapshot() == {"lookups": {"shop:user:7": ["0", "2"]}}


def test_hands_over_its_children_and_drops_what_it_knew_of_them(world: World) -> None:
    """The caller deletes the children; the sets and hashes beside the job go with it."""
    of = f"{world.namespace}job:pack:box:"
    parent = processing("pack") | {"_status": "children", "children:pack:jobs": f'["{of}1","{of}2"]'}
    world.seed(
        jobs={"shop:9": parent, "pack:box:1": {"n": "1", "_parent": "shop:9"}},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"1"}},
        settled={"shop:9:children:pack": {"2": "{}"}},
        parents={"pack:box": {"1": "shop:9"}},
        waiting={"pack:box": ["1"]},
    )
    assert world.run("delete", id="9") == ["deleted", [f"{of}1", f"{of}2"]]
    assert set(world.snapshot()) == {"jobs", "parents", "waiting"}
    assert world.run("delete", id="1", flow="pack:box", first="pack:box") == ["deleted", []]
    assert world.snapshot() == {}


def test_hands_over_children_that_were_built_but_not_let_out(world: World) -> None:
    """A parent that is deleted while its many children are being written leaves none of them behind."""
    of = f"{world.namespace}job:pack:box:"
    world.seed(jobs={"shop:9": processing("pack")}, building={"shop:9": [f"{of}1", f"{of}2"]})
    assert world.run("delete", id="9") == ["deleted", [f"{of}1", f"{of}2"]]
    assert world.snapshot() == {}


def test_children_of_whom_some_were_let_out_are_handed_over_once(world: World) -> None:
    """The field that names them all is there by then, and the list of those to come is not needed."""
    of = f"{world.namespace}job:pack:box:"
    parent = processing("pack", _built="1", _building="0") | {"children:pack:jobs": f'["{of}1","{of}2"]'}
    world.seed(jobs={"shop:9": parent}, building={"shop:9": [f"{of}2"]})
    assert world.run("delete", id="9") == ["deleted", [f"{of}1", f"{of}2"]]


def test_a_late_child_of_a_deleted_parent_writes_nothing(world: World) -> None:
    """It ends as any job does; no hash of its parent comes into being."""
    world.seed(
        jobs={
            "shop:9": {**processing("pack"), "_status": "children"},
            "pack:box:1": processing("pack:box", _parent="shop:9"),
        },
        pending={"shop:9": {"1"}},
        parents={"pack:box": {"1": "shop:9"}},
    )
    world.run("delete", id="9")
    assert world.report(finish("1", result="{}"), queue="pack:box") == ["ok"]
    assert world.snapshot()["jobs"].keys() == {"pack:box:1"}
    assert set(world.snapshot()) == {"jobs"}


def test_of_a_missing_job_nothing_is_written(world: World) -> None:
    """What is of another type is not ours to delete."""
    assert world.run("delete", id="1") == ["gone", []]
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert world.run("delete", id="1") == ["gone", []]
    assert world.snapshot() == {"jobs": {"shop:1": "not ours"}}


@pytest.mark.parametrize("there", [True, False], ids=["there", "gone"])
def test_a_parent_hears_of_a_child_that_was_deleted(world: World, *, there: bool) -> None:
    """Also of one whose hash somebody else has deleted before."""
    world.seed(
        jobs={"shop:9": {**processing("pack"), "_status": "children", "_next": "ship"}},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"1"}},
        parents={"pack:box": {"1": "shop:9"}},
    )
    if there:
        world.seed(jobs={"pack:box:1": {"_parent": "shop:9"}}, waiting={"pack:box": ["1"]})
    world.run("delete", id="1", flow="pack:box", first="pack:box")
    found = world.snapshot()
    assert (found["waiting"], found["jobs"].keys()) == ({"ship": ["9"]}, {"shop:9"})
    assert found["settled"]["shop:9:children:pack"] == {"1": '{"id":"1","status":"deleted"}'}


def test_a_lookup_list_of_another_type_hinders_nothing(world: World) -> None:
    """The job is deleted all the same, and the key is left alone."""
    world.seed(jobs={"shop:1": {"_lookups": "user:7\nteam:a"}}, waiting={"pick": ["1"]}, lookups={"shop:team:a": ["1"]})
    world.redis.set(world.key("lookups", "shop:user:7"), "not ours")
    assert world.run("delete", id="1") == ["deleted", []]
    assert world.snapshot() == {"jobs": {"shop:user:7": "not ours"}}


@pytest.mark.parametrize(("kind", "name"), [("waiting", "pick"), ("building", "shop:1")])
def test_a_key_of_another_type_is_named(world: World, kind: str, name: str) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    world.redis.set(world.key(kind, name), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, name)} holds a string"):
        world.run("delete", id="1")
    assert world.snapshot() == before


def test_what_is_named_like_the_place_of_an_ended_job_is_not_ours(world: World) -> None:
    """There is no such place: the job is deleted and the key stays."""
    world.seed(jobs={"shop:1": {**processing("pick"), "_status": "done"}})
    key = f"{world.namespace}queue:pick:done"
    world.redis.set(key, "not ours")
    assert world.run("delete", id="1") == ["deleted", []]
    assert world.snapshot() == {"other": {key: "not ours"}}


def test_notes_of_what_is_to_be_cancelled_that_are_none_hinder_nothing(world: World) -> None:
    """The job is deleted all the same."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.redis.set(world.key("cancelling", "shop"), "not ours")
    assert world.run("delete", id="1") == ["deleted", []]
    assert world.snapshot() == {"cancelling": {"shop": "not ours"}}


def test_a_call_that_is_sent_twice_answers_the_same(world: World) -> None:
    """The children are named again, for whoever did not hear of them."""
    jobs = f'["{world.namespace}job:pack:box:2"]'
    world.seed(jobs={"shop:1": {**processing("pack"), "_status": "done", "children:pack:jobs": jobs}})
    named = {"flow": "shop", "first": "pick", "id": "1"}
    call = world.settings.new_call()
    answers = [world.run("delete", **named, call=call) for _ in range(2)]
    assert answers == [["deleted", [f"{world.namespace}job:pack:box:2"]]] * 2
    assert 10_000 < world.redis.pttl(call) <= 20_000
    assert world.run("delete", **named) == ["gone", []]


def test_an_answer_of_another_type_is_named(world: World) -> None:
    """Nothing is deleted by a call of which nobody could say whether it was sent before."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    call = world.settings.new_call()
    world.redis.sadd(call, "not ours")
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {call} holds a set where flows keeps a string"):
        world.run("delete", id="1", call=call)
    assert world.snapshot() == {"jobs": {"shop:1": {"a": "1"}}}
