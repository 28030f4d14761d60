"""What every script leaves of a job's way: since when it is where it is, its path, the counts of its queues, the lists.

The snapshots of other tests leave these out.
"""

from __future__ import annotations

from typing import Any

import pytest

from flows.store.client.lua_files import LuaFiles
from flows.store.client.scripts import _folder, load, names
from tests.world import KEPT, NOW, World, advance, attempt, await_children, fail, finish, processing, retry, snooze

#: An id with the time 1,000 ms before NOW in it.
BORN = f"{NOW - 1000:012x}"
ID = f"{BORN[:8]}-{BORN[8:]}-7000-8000-000000000001"


def way(world: World, name: str = f"shop:{ID}") -> tuple[int, str]:
    """Return since when a job is where it is, after NOW, and its path."""
    raw: Any = world.redis.hget(world.key("jobs", name), "_attempt")
    *_, since, path = raw.split(" ")
    return int(since) - NOW, path


def counts(world: World, queue: str = "pick") -> dict[str, int]:
    """Return the counts of a queue."""
    found: Any = world.redis.hgetall(world.key("meta", queue))
    return {name: int(value) for name, value in found.items()}


def ended(world: World, queue: str, word: str) -> Any:
    """Return those that are listed as ended in a queue."""
    key = world.keys.ended_jobs(queue, word)
    return world.redis.lrange(key, 0, -1) if word == "done" else dict(world.redis.zrange(key, 0, -1, withscores=True))


def new(world: World) -> None:
    """Let a job wait that was created a second ago."""
    world.seed(jobs={f"shop:{ID}": {"a": "1"}}, waiting={"pick": [ID]})


def test_a_job_that_goes_through_all_queues(world: World) -> None:
    """Each visit says how long the job waited and ran; the last one's run is over with the job."""
    new(world)
    assert world.claim()[0].waited == 1000
    assert way(world) == (0, "+")
    world.now += 40
    world.report(advance(ID))
    assert way(world) == (40, "pick=1000/40,")
    world.now += 7
    assert world.claim(queue="pack")[0].waited == 7
    world.now += 3
    world.report(advance(ID, 2, "ship"), queue="pack")
    assert way(world) == (50, "pick=1000/40,pack=7/3,")
    world.claim(queue="ship")
    world.now += 5
    world.report(finish(ID, 3), queue="ship")
    assert way(world) == (50, "pick=1000/40,pack=7/3,ship=0")
    assert [counts(world, queue) for queue in ("pick", "pack", "ship")] == [{"advance": 1}, {"advance": 1}, {"done": 1}]
    assert ended(world, "ship", "done") == [ID]


def test_several_attempts_of_one_visit_are_added_up(world: World) -> None:
    """For how long a job ran and was late: the pauses between are nobody's."""
    new(world)
    world.claim()
    world.now += 10
    world.report(retry(ID, delay_ms=500))
    assert way(world) == (510, "pick=1000/10")
    world.now += 502
    assert world.claim()[0].waited == 2
    world.now += 20
    world.report(snooze(ID, 2, 100))
    assert way(world) == (632, "pick=1002/30")
    world.now += 100
    world.claim()
    world.report(attempt("release", ID, 3))
    assert way(world) == (632, "pick=1002/30")
    world.now += 6
    world.claim()
    world.now += 30_001
    assert world.run("rescue") == [[ID, "rescued"]]
    assert way(world) == (30_639, "pick=1008/30031")
    world.claim()
    world.now += 9
    world.report(advance(ID, 5))
    assert way(world) == (30_648, "pick=1008/30040,")
    assert counts(world) == {"retry": 1, "snooze": 1, "release": 1, "rescue": 1, "advance": 1}


def test_a_parent_counts_how_long_it_awaited_its_children(world: World) -> None:
    """Its path has a third time; it leaves the queue by `settle`, and its children end in theirs."""
    world.seed(jobs={f"shop:{ID}": {"a": "1"}}, waiting={"pack": [ID]})
    world.redis.hset(world.key("jobs", f"shop:{ID}"), mapping={"_status": "waiting", "_queue": "pack"})
    world.claim(queue="pack")
    world.now += 10
    world.report(await_children(ID, 1, (("box", "c1"),), "ship"), queue="pack")
    assert way(world) == (10, "pack=1000/10")
    world.now += 50
    world.claim(queue="pack:box")
    world.report(finish("c1", result="{}"), queue="pack:box")
    assert way(world) == (60, "pack=1000/10/50,")
    assert counts(world, "pack") == {"await_children": 1, "settle": 1}
    assert counts(world, "pack:box") == {"done": 1}


def test_a_path_keeps_its_last_visits(world: World) -> None:
    """Thirty of them, however often the job goes in a circle."""
    new(world)
    for fence in range(1, 41):
        queue = ("pick", "pack")[(fence + 1) % 2]
        world.claim(queue=queue)
        world.report(advance(ID, fence, ("pack", "pick")[(fence + 1) % 2]), queue=queue)
    visits = way(world)[1].split(",")
    assert visits[-1] == ""
    assert len(visits) == 31
    assert {visit.partition("=")[0] for visit in visits[:-1]} == {"pick", "pack"}


@pytest.mark.parametrize("word", ["failed", "cancelled"])
def test_a_job_that_comes_back_leaves_the_list_of_ended_ones(world: World, word: str) -> None:
    """Its next visit begins when it is retried; the one before ran until the job ended."""
    new(world)
    world.claim()
    world.now += 10
    world.report(fail(ID) if word == "failed" else attempt("cancel", ID, 1, "why"))
    assert ended(world, "pick", word) == {ID: NOW + 10}
    world.now += 100
    assert world.run("retry_job", id=ID) == "retried"
    assert ended(world, "pick", word) == {}
    assert way(world) == (110, "pick=1000/10,")
    assert counts(world) == {word: 1, "retry_job": 1}


def test_a_job_that_was_cancelled_while_it_waited(world: World) -> None:
    """It never ran: its path says nothing, and it is listed in the queue where it waited."""
    new(world)
    assert world.run("cancel", id=ID, reason="why") == ["cancelled", 0]
    assert ended(world, "pick", "cancelled") == {ID: NOW}
    assert counts(world) == {"cancelled": 1}
    world.run("retry_job", id=ID)
    assert way(world) == (0, "-")


def test_deleting_what_has_ended_is_counted_apart(world: World) -> None:
    """Before its end a job leaves the queue by it, and after that it had left already."""
    world.seed(
        jobs={"shop:1": {"a": "1"}, "shop:2": processing(), "shop:3": processing()},
        waiting={"pick": ["1"]},
        processing={"pick": {"2": NOW, "3": NOW}},
    )
    world.report(fail("3"))
    for job_id in ("1", "2", "3"):
        assert world.run("delete", id=job_id)[0] == "deleted"
    assert counts(world) == {"deleted": 2, "failed": 1, "delete_ended": 1}
    assert ended(world, "pick", "failed") == {}


def test_what_stays_in_a_long_list_is_stale(world: World) -> None:
    """Its jobs have left; a claim that drops such ids counts them no more, and the others as it did."""
    ids = [f"x{number}" for number in range(10_001)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids[:3]}, waiting={"pick": ids})
    world.run("cancel", id="x0", reason="why")
    world.run("delete", id="x1")
    assert counts(world) == {"cancelled": 1, "deleted": 1, "stale": 2}
    assert [job.id for job in world.claim()] == ["x2"]
    assert counts(world) == {"cancelled": 1, "deleted": 1, "stale": 0}
    world.claim()
    assert counts(world)["expired"] == 400


def test_of_many_that_are_done_a_sample_is_listed(world: World) -> None:
    """The last ten of each script, and so many in all that the list stays short; it goes when its jobs have gone."""
    ids = [f"x{number:03}" for number in range(50)]
    world.seed(jobs={f"shop:{job_id}": processing() for job_id in ids})
    world.report(*(finish(job_id) for job_id in ids))
    assert ended(world, "pick", "done") == ids[:-11:-1]
    key = world.keys.ended_jobs("pick", "done")
    assert KEPT[0] - 30_000 < world.redis.pttl(key) <= KEPT[0]  # type: ignore[operator]
    world.redis.lpush(key, *["old"] * 1490)
    world.seed(jobs={"shop:last": processing()})
    world.report(finish("last"))
    assert world.redis.llen(key) == 1000
    assert ended(world, "pick", "done")[0] == "last"


def test_the_lists_of_ended_jobs_forget_what_is_not_kept(world: World) -> None:
    """As long as the hashes stay: the next one that ends so takes the others out."""
    world.redis.zadd(world.keys.ended_jobs("pick", "failed"), {"old": NOW - KEPT[1] - 1, "kept": NOW - KEPT[1] + 1})
    world.seed(jobs={"shop:1": processing()})
    world.report(fail("1"))
    assert set(ended(world, "pick", "failed")) == {"kept", "1"}


def test_a_key_of_another_type_hinders_no_end(world: World) -> None:
    """The list takes nothing then; what matters is written before."""
    for word in ("done", "failed"):
        world.redis.set(world.keys.ended_jobs("pick", word), "not ours")
    world.seed(jobs={"shop:1": processing(), "shop:2": processing()})
    assert world.report(finish("1"), fail("2")) == ["ok", "ok"]
    assert counts(world) == {"done": 1, "failed": 1}


def test_every_script_that_moves_jobs_writes_its_counts_and_tells() -> None:
    """What one gathers is written at its end, or nobody would ever read it."""
    files = LuaFiles(_folder())
    for name in names():
        composed, file = load(name).text, files.script(name)
        own = file.text
        if "each_job" in file.header.get("include", ()):  # which ends the scripts that act on many jobs
            own = _folder().joinpath("bulk", "include", "each_job.lua").read_text()
        if "function count(" in composed or "function count_ended(" in composed:
            assert "write_counts()" in own, name
        moves = file.room != "views" and name not in {"build", "publish"}  # the last two write children
        if "function told_of(" in composed and moves:
            assert "tell()" in own, name


def test_what_was_moved_is_told_once_if_somebody_listens(world: World) -> None:
    """One message of all that a script has moved; without a listener none is sent."""
    ids = [f"x{number}" for number in range(3)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids}, waiting={"pick": ids})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.ssubscribe(world.keys.changed("shop"), world.keys.heard("shop"))
        while not listener.subscribed or len(listener.shard_channels) < 2:
            listener.get_sharded_message(timeout=1)
        world.claim(2)
        world.turn(finish("x0"), advance("x1"), want=1)
        told: list[str] = []
        while len(told) < 2:
            message = listener.get_sharded_message(timeout=5)
            told += [message["data"]] if message and message["type"] == "smessage" else []
    assert told == [
        "x0 processing pick\nx1 processing pick",
        "x0 done -\nx1 waiting pack\nx2 processing pick",
    ]
