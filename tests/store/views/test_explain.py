"""explain: what is gathered of a job, its queue, its children and its parent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.scale import scaled
from tests.store.views.costs import MOST, cost
from tests.store.views.test_position import fill, job_id
from tests.world import NOW, QUEUES, World, processing


def told(world: World, which: str) -> dict[str, Any]:
    """Call the script; return what it tells: the names of the hash's fields as `fields`, what comes often as lists."""
    now, facts = world.run("explain", *QUEUES, id=which)
    assert now == NOW
    assert all(isinstance(value, str | int) for _, value in facts)
    found: dict[str, Any] = {name: value for name, value in facts if name not in {"field", "minute"}}
    fields = {value for name, value in facts if name == "field"}
    minutes = [value for name, value in facts if name == "minute"]
    return {**found, **({"fields": fields} if fields else {}), **({"minutes": minutes} if minutes else {})}


def test_of_a_job_that_waits_its_turn_and_its_queue_are_told(world: World) -> None:
    """How many are ahead, whether the queue is paused, and which processes have workers of it."""
    world.seed(
        jobs={"shop:1": {"a": "1", "b": "2"}},
        waiting={"pick": ["0", "1"]},
        meta={"pick": {"owner": "shop", "paused": "inf", "paused_at": str(NOW), "paused_note": "ops"}},
    )
    world.redis.zadd(f"{world.namespace}flows:workers:pick", {"web.1": NOW + 1, "web.2": NOW - 5})
    assert told(world, "1") == {
        "flow": "shop",
        "kind": "hash",
        "ahead": 1,
        "queue": "pick",
        "paused": "inf",
        "paused_at": str(NOW),
        "paused_note": "ops",
        "serving": 1,
        "asked": 1,
        "said": 0,
        "slots": "0",
        "busy": "0",
        "heard": str(NOW + 1),
        "fields": {"a", "b"},
    }
    world.redis.set(f"{world.namespace}flows:process:shop:web.1", f'{{"at":{NOW - 7},"n":1}}')
    assert told(world, "1")["heard"] == str(NOW - 7)
    world.redis.delete(world.key("waiting", "pick"))
    assert told(world, "1")["unlisted"] == 1


def said(world: World, name: str, *, taken: tuple[int, int], running: Any, until: int = NOW) -> None:
    """Let a process count as alive for 9 ms after `until`, whose last heartbeat came 5 ms before NOW."""
    of_queue = {"workers": 1, "slots": taken[1], "busy": taken[0], "asked": None}
    queues = {"pick:box": {"slots": 50, "busy": 0}, "pick": of_queue}
    text = json.dumps({"at": NOW - 5, "n": 1, "host": '"pick":{', "queues": queues, "running": running})
    world.redis.set(world.key("process", f"shop:{name}"), text.replace(", ", ",").replace(": ", ":"))
    world.redis.zadd(world.key("workers", "pick"), {name: until + 9})


def test_how_busy_the_live_processes_of_its_queue_are_is_told(world: World) -> None:
    """The sum of their slots, how many are taken, and the job of this queue that runs longest."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    said(world, "web.1", taken=(3, 4), running=[["ship", "9", 900], ["pick", "7", 20], ["pick", "8", 10]])
    said(world, "web.2", taken=(5, 2), running=[["pick", "6", 30]])
    said(world, "web.3", taken=(1, 1), running=[["pick", "4", 25]])
    said(world, "dead", taken=(9, 9), running=[["pick", "5", 99]], until=NOW - 10)
    found = told(world, "1")
    assert (found["serving"], found["said"], found["slots"], found["busy"]) == (3, 3, "7", "6")
    assert found["oldest"] == f"{NOW - 35} web.2 6"
    assert found["heard"] == str(NOW - 5)
    for name in ("web.1", "web.2", "web.3"):
        world.redis.zrem(world.key("workers", "pick"), name)
    assert told(world, "1").keys() & {"serving", "asked", "heard"} == {"serving", "heard"}


def test_since_when_a_job_runs_is_not_known_without_the_time_of_the_heartbeat(world: World) -> None:
    """How busy the process is counts all the same."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    said(world, "web.1", taken=(1, 1), running=[])
    text = '{"queues":{"pick":{"slots":1,"busy":1}},"running":[["pick","7",20]]}'
    world.redis.set(world.key("process", "shop:web.1"), text)
    found = told(world, "1")
    assert (found["said"], found["busy"], "oldest" in found) == (1, "1", False)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "[]", '{"at":1,"queues":{"pick":', '{"queues":{"pick":{"slots":"2"}}}'),
        *('{"queues":{"pick":{"slots":2}}}', '{"queues":{"pick":{"busy":2}}}'),
    ],
)
def test_what_a_process_says_that_nobody_can_read_is_not_counted(world: World, text: str) -> None:
    """So fewer processes have said how busy they are than there are."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    said(world, "web.1", taken=(4, 4), running=[])
    said(world, "web.2", taken=(4, 4), running=[])
    world.redis.set(world.key("process", "shop:web.2"), text)
    found = told(world, "1")
    assert (found["serving"], found["said"], found["slots"], found["busy"]) == (2, 1, "4", "4")
    assert "oldest" not in found
    world.redis.delete(world.key("process", "shop:web.2"))
    assert told(world, "1")["said"] == 1
    world.redis.rpush(world.key("process", "shop:web.2"), "not ours")
    assert (told(world, "1")["said"], told(world, "1")["heard"]) == (1, str(NOW + 9))
    world.redis.delete(world.key("process", "shop:web.2"))


@pytest.mark.scale
def test_of_more_than_a_hundred_processes_so_many_are_asked(world: World) -> None:
    """Within two milliseconds of the server's time, however much each of them says."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    for number in range(250):
        said(world, f"web.{number}", taken=(4, 4), running=[["ship", "x" * 36, 900]] * 70)
    assert told(world, "1")["serving"] == 250
    assert told(world, "1")["said"] == told(world, "1")["asked"] == 100
    assert cost(world, lambda: told(world, "1"))[0] <= MOST


def test_the_last_full_minutes_of_its_queue_are_told(world: World) -> None:
    """Six at most, with how long ago each was; neither the one that has not ended, nor those of other queues."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    last = NOW // 60_000
    world.redis.hset(world.key("stats", "pick"), mapping={f"m{last - ago}": f"{ago}|||" for ago in (0, 1, 3, 6, 7)})
    world.redis.hset(world.key("stats", "ship"), f"m{last - 2}", "other")
    assert told(world, "1")["minutes"] == ["1 1|||", "3 3|||", "6 6|||"]


def test_the_declaration_that_was_written_last_is_told(world: World) -> None:
    """Of those whose text is there; a key of another type has none."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    key = f"{world.namespace}flows:flow:shop"
    old = {"a": "old", "a:seen": 1}
    world.redis.hset(key, mapping={**old, "b": "new", "b:seen": 3, "c": "older", "c:seen": 2, "d:seen": 4, "e": "5"})
    assert told(world, "1")["declaration"] == "new"
    world.redis.delete(key)
    world.redis.set(key, "not ours")
    assert "declaration" not in told(world, "1")


def test_of_the_other_states_the_score_is_told(world: World) -> None:
    """The end of a lease, when it is due, since when it waits for its children."""
    world.seed(
        jobs={
            "shop:runs": processing(_cancel="no"),
            "shop:late": {"_status": "delayed", "_queue": "ship"},
            "shop:over": {"_status": "failed", "_queue": "ship", "_ended": "5", "_error": "{}"},
        },
        processing={"pick": {"runs": NOW + 5}},
        delayed={"ship": {"late": NOW + 9}},
    )
    assert told(world, "runs")["score"] == str(NOW + 5)
    assert told(world, "runs")["_cancel"] == "no"
    assert told(world, "late")["score"] == str(NOW + 9)
    assert [name for name in ("runs", "late", "over") if "serving" in told(world, name)] == ["late"]
    assert told(world, "over")["_error"] == "{}"
    assert "score" not in told(world, "over")


def test_of_a_parent_one_child_is_told_that_runs(world: World) -> None:
    """And how many have still to end; of the child, how its parent is."""
    parent = processing("pack", _status="children", _policy="fail")
    world.seed(
        jobs={
            "shop:9": parent,
            "pack:box:a": {"_parent": "shop:9"},
            "pack:label:b": processing("pack:label", _parent="shop:9"),
        },
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"a", "b", "gone"}},
        settled={"shop:9:children:pack": {"c": "{}"}},
        waiting={"pack:box": ["a"]},
        cancelling={"shop": {"shop:9": "0"}},
    )
    found = told(world, "9")
    assert (found["pending"], found["settled"], found["score"], found["_policy"]) == (3, 1, str(NOW), "fail")
    assert (found["child_id"], found["child_queue"], found["child_status"]) == ("b", "pack:label", "processing")
    child = told(world, "a")
    assert (child["flow"], child["queue"], child["_parent"]) == ("pack:box", "pack:box", "shop:9")
    assert (child["parent_status"], child["parent_cancelled"]) == ("children", 1)


@pytest.mark.parametrize("order", [1, -1])
def test_the_child_that_is_furthest_is_told(world: World, order: int) -> None:
    """One that has ended and was not settled comes last; only child queues of the parent's are looked through."""
    states = ["failed", "done", "waiting", "delayed", "children", "processing"][::order]
    children = {f"pack:box:{state}": processing("pack:box", _status=state) for state in states}
    children["pack:box:waiting"] = {"a": "1"}
    stranger = {"ship:box:gone": processing("ship:box")}
    parent = {"shop:9": processing("pack", _status="children")}
    world.seed_damaged(jobs={**parent, **children, **stranger}, queues={"shop": {"ship:box": "child"}})
    left = ["gone", *states]
    for furthest in ("processing", "children", "delayed", "waiting"):
        world.redis.delete(world.key("pending", "shop:9"))
        world.redis.sadd(world.key("pending", "shop:9"), *left)
        assert told(world, "9")["child_status"] == furthest
        left.remove(furthest)
    world.redis.srem(world.key("pending", "shop:9"), "waiting", "done", "failed")
    assert "child_id" not in told(world, "9")
    world.redis.sadd(world.key("pending", "shop:9"), "done", "failed")
    assert told(world, "9")["child_status"] in {"done", "failed"}


def test_of_many_children_twenty_are_looked_at(world: World) -> None:
    """So that a parent of thousands is explained as fast as any."""
    world.seed(jobs={"shop:9": processing("pack", _status="children")}, pending={"shop:9": {*map(str, range(60))}})
    sent = cost(world, lambda: told(world, "9"))[1]
    assert sent["type"] == 1 + 20 * 2


def test_a_job_is_looked_for_in_its_flow_first(world: World) -> None:
    """Then in child queues, those that it had too, each once; another flow may have the name of a queue."""
    world.seed(
        jobs={"shop:1": {"a": "1"}, "pack:box:1": {"a": "2"}, "pack:old:2": {"a": "3"}, "pick:3": {"a": "4"}},
        queues={"shop": {"pack:old": "child", "ship": "later"}},
    )
    assert [told(world, which)["flow"] for which in ("1", "2", "3")] == ["shop", "pack:old", "shop"]
    assert told(world, "3")["kind"] == "none"
    assert cost(world, lambda: told(world, "4"))[1]["lpos"] == len(QUEUES) + 1


@pytest.mark.parametrize("place", ["waiting", "processing", "delayed", "children"])
def test_where_the_id_of_a_job_is_left_that_is_gone_is_told(world: World, place: str) -> None:
    """Also of one that had ended."""
    assert told(world, "1") == {"flow": "shop", "kind": "none"}
    world.seed(**{place: {"pack": ["1"] if place == "waiting" else {"1": NOW}}})
    assert told(world, "1")["left_in"] == f"{place} pack"
    world.redis.zadd(f"{world.namespace}flows:ended:ship:failed", {"2": NOW})
    assert told(world, "2")["left_in"] == "failed ship"


def test_an_id_that_is_left_far_inside_a_list_is_not_looked_for(world: World) -> None:
    """A thousand ids of each list are, so that it takes no longer in a long one."""
    world.redis.rpush(world.key("waiting", "pack"), *range(1001))
    assert told(world, "999")["left_in"] == "waiting pack"
    assert "left_in" not in told(world, "1000")


def test_of_a_job_that_may_stand_in_several_queues_the_likeliest_is_told(world: World) -> None:
    """Where it does stand; else about where it should, and else the shortest queue."""
    ids = [job_id(NOW + number, number) for number in range(20_002)]
    hidden = job_id(NOW + 10_000, 1 << 40)
    kinds = {"empty": "first", "ship": "later", "old": "first", "pick": "first"}
    world.seed(jobs={f"shop:{hidden}": {"a": "1"}}, waiting={"ship": ["1"], "old": ["1", "2"]}, queues={"shop": kinds})
    fill(world, "pick", ids)
    found = told(world, hidden)
    assert (found["queue"], found["about"]) == ("pick", 10_000)
    assert not found.keys() & {"ahead", "unlisted"}
    world.redis.ltrim(world.key("waiting", "pick"), 0, 2)
    found = told(world, hidden)
    assert (found["queue"], found["unlisted"]) == ("old", 1)
    world.redis.rpush(world.key("waiting", "pick"), hidden)
    found = told(world, hidden)
    assert (found["queue"], found["ahead"]) == ("pick", 3)


def test_where_it_stands_counts_more_than_where_it_should(world: World) -> None:
    """Of two queues that are too long to be searched."""
    ids = [job_id(NOW + number, number) for number in range(20_002)]
    one = ids[10_000]
    world.seed(jobs={f"shop:{one}": {"a": "1"}}, queues={"shop": {"old": "first", "pick": "first"}})
    fill(world, "old", [which for which in ids if which != one])
    fill(world, "pick", ids)
    found = told(world, one)
    assert (found["queue"], found["ahead"], "about" in found) == ("pick", 10_000, False)


def test_keys_of_other_types_are_no_error(world: World) -> None:
    """Whichever of the keys that are read holds something else."""
    jobs: dict[str, Any] = {"1": {"_parent": "shop:9"}, "2": processing(), "3": processing("pack", _status="children")}
    world.seed_damaged(jobs={**{f"shop:{number}": job for number, job in jobs.items()}, "shop:9": "x", "shop:4": "x"})
    for kind, name in (
        *(("flows", key) for key in ("queues:shop", "flow:shop", "pending:shop:3", "cancelling:shop")),
        *(("flows", key) for key in ("workers:pick", "stats:pick", "ended:pick:failed")),
        *(("queue", f"pick:{place}") for place in ("waiting", "processing", "delayed", "children", "meta")),
        *(("queue", f"pack:{place}") for place in ("waiting", "children")),
        ("job", "shop:3:children:pack"),
    ):
        world.redis.set(f"{world.namespace}{kind}:{name}", "not ours")
    for which in ("1", "2", "3", "5"):
        assert told(world, which)["flow"] == "shop"
    assert told(world, "4") == {"flow": "shop", "kind": "string"}
    world.redis.delete(world.key("pending", "shop:3"))


@pytest.mark.scale
def test_in_a_long_queue_it_takes_no_longer(world: World) -> None:
    """At most 2 ms of the server's time a call, wherever the job stands."""
    count = scaled(25_000, full=1_000_000)
    ids = [job_id(NOW + number, number) for number in range(count)]
    fill(world, "ship", ids, since=NOW)
    world.redis.hset(world.key("stats", "ship"), mapping={f"m{NOW // 60_000 - ago}": "9" * 500 for ago in range(1, 7)})
    for place in (0, count // 3, count // 2, count - 1):
        assert told(world, ids[place])["ahead"] == place
        assert cost(world, lambda place=place: told(world, ids[place]))[0] <= MOST
