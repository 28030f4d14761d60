"""register: which flow owns queues and names is recorded before anything is written."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import World


def call(
    world: World, owner: str, queues: list[str], *names: str, former: tuple[str, ...] = (), layouts: str = ""
) -> list[str]:
    """Call the script."""
    named = {"owner": owner, "queues": world.keys.queues(owner)}
    counts = {"queue_count": len(queues), "former_count": len(former), "layouts": layouts}
    answer: list[str] = world.run("register", *queues, *former, *names, **named, **counts)
    return answer


def test_records_the_owner(world: World) -> None:
    """Queues in their own hashes, names in one."""
    assert call(world, "shop", ["pick", "pack"], "shop", "flow", "shop:user", "lookup") == ["ok"]
    assert world.snapshot() == {
        "meta": {"pick": {"owner": "shop"}, "pack": {"owner": "shop"}},
        "names": {"": {"shop": "flow of shop", "shop:user": "lookup of shop"}},
        "queues": {"shop": {"pick": "first", "pack": "later"}},
    }


def test_remembers_all_queues_that_a_flow_has_had(world: World) -> None:
    """And which of them were the first one: a queue that was it stays so, one that becomes it is so from then on."""
    call(world, "shop", ["pick", "pack"])
    call(world, "shop", ["choose", "pick", "wrap"])
    known = {"pick": "first", "pack": "later", "choose": "first", "wrap": "later"}
    assert world.snapshot()["queues"] == {"shop": known}
    call(world, "shop", ["wrap"])
    assert world.snapshot()["queues"] == {"shop": known | {"wrap": "first"}}


def test_a_former_name_of_a_queue_may_not_be_another_flows(world: World) -> None:
    """Its jobs would be moved away; a name that nobody has is left to whoever comes."""
    call(world, "farm", ["sow"])
    before = world.snapshot()
    assert call(world, "shop", ["pick"], former=("sow",)) == ["taken", "queue sow", "flow farm"]
    assert world.snapshot() == before
    assert call(world, "shop", ["pick"], former=("choose",)) == ["ok"]
    assert set(world.snapshot()["meta"]) == {"sow", "pick"}


def test_the_same_flow_may_come_again(world: World) -> None:
    """Every process of a flow registers it; a later version may have more."""
    call(world, "shop", ["pick"], "shop", "flow")
    assert call(world, "shop", ["pick", "pack"], "shop", "flow", "shop:user", "lookup") == ["ok"]
    assert set(world.snapshot()["meta"]) == {"pick", "pack"}


def test_a_queue_has_one_owner(world: World) -> None:
    """The answer names the queue and the flow that has it; nothing of the second flow is written."""
    call(world, "shop", ["pick"], "shop", "flow")
    before = world.snapshot()
    assert call(world, "farm", ["sow", "pick"], "farm", "flow") == ["taken", "queue pick", "flow shop"]
    assert world.snapshot() == before


def test_a_name_has_one_meaning(world: World) -> None:
    """Neither another flow nor the same one may give a name of keys another meaning."""
    call(world, "shop", ["pick"], "pick:box", "child queue")
    before = world.snapshot()
    assert call(world, "pick", [], "pick:box", "lookup") == ["taken", "lookup pick:box", "child queue of shop"]
    assert call(world, "shop", [], "pick:box", "lookup") == ["taken", "lookup pick:box", "child queue of shop"]
    assert world.snapshot() == before


@pytest.mark.parametrize("kind", ["meta", "names", "queues"])
def test_a_key_of_another_type_is_named(world: World, kind: str) -> None:
    """Nothing is written."""
    key = world.key(kind, "shop" if kind == "queues" else "pack")
    world.redis.set(key, "not ours")
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {key} holds a string"):
        call(world, "shop", ["pick", "pack"], "shop", "flow")
    assert list(world.redis.scan_iter(f"{world.namespace}*")) == [key]


def test_without_rules_nothing_is_recorded_of_layouts(world: World) -> None:
    """Nor answered."""
    assert call(world, "shop", ["pick"]) == ["ok"]
    assert world.snapshot()["meta"] == {"pick": {"owner": "shop"}}


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        ("", "3 user", "3 user"),
        ("3 user", "", "3 user"),
        ("3 user", "2 -", "3 user"),
        ("2 -", "3 user", "3 user"),
        ("3 user", "4 account", "4 account"),
        ("12 -", "8 -", "12 -"),
        ("nonsense", "2 -", "2 -"),
    ],
)
def test_a_layout_only_grows(before: str, asked: str, after: str, world: World) -> None:
    """Where a release declares less, jobs may still stand in the lists of the one before."""
    layouts = f"pick {asked}" if asked else ""
    if before:
        world.seed(meta={"pick": {"rules": before}})
    assert call(world, "shop", ["pick", "pack"], layouts=layouts) == ["ok", f"pick {after}"]
    assert world.snapshot()["meta"] == {"pick": {"owner": "shop", "rules": after}, "pack": {"owner": "shop"}}


def test_layouts_of_queues_that_the_flow_has_no_more_are_answered_too(world: World) -> None:
    """Whoever drains them has to know in which lists their jobs stand."""
    call(world, "shop", ["pick", "pack", "pack:box"], layouts="pick 3 user\npack:box 2 -")
    answer = call(world, "shop", ["wrap"], layouts="wrap 1 user")
    assert [answer[0], *sorted(answer[1].split("\n"))] == ["ok", "pack:box 2 -", "pick 3 user", "wrap 1 user"]


def test_a_key_that_holds_something_else_has_no_layout(world: World) -> None:
    """The queues beside it are answered; the flow has it no more, so nobody is refused for it."""
    call(world, "shop", ["pick", "pack"], layouts="pick 3 user")
    world.redis.delete(world.keys.meta("pack"))
    world.redis.set(world.keys.meta("pack"), "something")
    assert call(world, "shop", ["pick"]) == ["ok", "pick 3 user"]


def share(world: World, owner: str, *queues: str, **named: str) -> list[str]:
    """Call the script of a flow that shares all of its queues."""
    named = {"owner": owner, "queues": world.keys.queues(owner), "shared": f" {' '.join(queues)} ", **named}
    answer: list[str] = world.run("register", *queues, **named, queue_count=len(queues), former_count=0)
    return answer


def test_a_shared_queue_names_all_of_its_flows(world: World) -> None:
    """Each once, however often it comes; what each says of the queue stands in its settings."""
    for owner in ("shop", "farm", "shop"):
        assert share(world, owner, "pack", settings=f"settings of {owner}") == ["ok"]
    assert world.snapshot()["meta"] == {"pack": {"flows": "shop farm"}}
    assert world.redis.get(world.keys.settings("farm")) == "settings of farm"


def test_a_queue_is_shared_by_all_of_its_flows_or_by_none(world: World) -> None:
    """The answer says which flows have it, and which way; nothing is written."""
    call(world, "shop", ["pick"])
    share(world, "shop", "pack")
    share(world, "farm", "pack")
    before = world.snapshot()
    assert share(world, "farm", "pick") == ["taken", "queue pick", "flow shop", "alone"]
    assert call(world, "barn", ["pack"]) == ["taken", "queue pack", "flows shop farm", "shared"]
    assert call(world, "shop", ["pack"]) == ["taken", "queue pack", "flows shop farm", "shared"]
    assert world.snapshot() == before


@pytest.mark.parametrize("place", ["waiting", "processing", "delayed", "children"])
def test_a_queue_that_holds_jobs_stays_as_it_is(world: World, place: str) -> None:
    """They would stand there by another name; once they are gone, it may be shared, and may be no more."""
    call(world, "shop", ["pack"])
    key = getattr(world.keys, place)("pack")
    if place == "waiting":
        world.redis.rpush(key, "1")
    else:
        world.redis.zadd(key, {"1": 1})
    assert share(world, "shop", "pack") == ["taken", "queue pack", "flow shop", "full"]
    world.redis.delete(key)
    assert share(world, "shop", "pack") == ["ok"]
    assert world.snapshot()["meta"] == {"pack": {"flows": "shop"}}
    world.redis.rpush(world.keys.waiting("pack"), "shop:1")
    assert call(world, "shop", ["pack"]) == ["taken", "queue pack", "flow shop", "full"]
    world.redis.delete(world.keys.waiting("pack"))
    assert call(world, "shop", ["pack"]) == ["ok"]
    assert world.snapshot()["meta"] == {"pack": {"owner": "shop"}}


def test_names_of_shared_queues_belong_to_no_flow(world: World) -> None:
    """Two flows may have the same shared parent queue, and no third one a queue of this name alone."""
    for owner in ("shop", "farm"):
        assert call(world, owner, [], "check", "shared parent queue") == ["ok"]
    taken = ["taken", "parent queue check", "shared parent queue"]
    assert call(world, "barn", [], "check", "parent queue") == taken


def test_what_a_flow_has_said_of_a_shared_queue_stays(world: World) -> None:
    """Jobs of it may be left there; what it says anew takes the place of what it has said."""
    share(world, "shop", "pack", "pick", settings="1\n= pack ship 0 8\n= pick - 0 8")
    share(world, "shop", "pick", settings="2\n= pick ship 1 3")
    assert world.redis.get(world.keys.settings("shop")) == "2\n= pick ship 1 3\n= pack ship 0 8"
    call(world, "shop", ["ship"])
    usual = world.settings.packed
    assert world.redis.get(world.keys.settings("shop")) == f"{usual}\n= pick ship 1 3\n= pack ship 0 8"
