"""Acting on many jobs by few scripts: a word for each, and none is touched that has changed since it was found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from redis import Redis

from flows.errors import KeyConflict, StoreError, StoreFull
from flows.model.state import JobState
from flows.store.client.connection import Connection
from flows.store.jobs.control import Control
from flows.store.jobs.many import Asked, ManyJobs
from flows.testing import private_server
from tests.world import NOW, World, processing

ANY = tuple(JobState)
MakeMany = Callable[..., ManyJobs]


@pytest_asyncio.fixture
async def make_many(redis_url: str, world: World) -> AsyncIterator[MakeMany]:
    """Make what acts on jobs of the world's flow."""
    connection = Connection(redis_url, "test-many")

    def make(verb: str, states: tuple[str, ...] = ANY, before_ms: int = 1 << 53, queue: str = "") -> ManyJobs:
        return ManyJobs(
            Control(connection, world.settings), Asked(verb, frozenset(states), before_ms, reason="why", queue=queue)
        )

    yield make
    await connection.close()


def failed(ended: int = NOW - 5) -> dict[str, str]:
    """Return a job that has failed."""
    return processing(_status="failed", _ended=str(ended), _error="{}")


def ids(*given: str) -> list[tuple[str, str]]:
    """Return jobs of the flow."""
    return [("shop", job_id) for job_id in given]


async def test_a_word_for_each(make_many: MakeMany, world: World) -> None:
    """In the order in which they were given, gone ones too."""
    world.seed(jobs={"shop:1": failed(), "shop:2": {"a": "1"}}, waiting={"pick": ["2"]})
    assert await make_many("retry").act(ids("1", "2", "3")) == ["retried", "waiting", "gone"]
    assert await make_many("cancel").act(ids("1", "3", "2", "1")) == ["cancelled", "gone", "cancelled", "too late"]
    assert await make_many("delete").act(ids("2", "3", "1")) == ["deleted", "gone", "deleted"]
    assert await make_many("delete").act([]) == []
    assert "jobs" not in world.snapshot()


async def test_more_than_one_script_takes(make_many: MakeMany, world: World) -> None:
    """Also of several flows in turn: each word stands where its job was given."""
    names = [f"{('shop', 'pack:box')[number % 2]}:{number:03}" for number in range(250)]
    world.seed(jobs=dict.fromkeys(names[:-2], failed()))
    jobs = [(name.rpartition(":")[0], name.rpartition(":")[2]) for name in names]
    assert await make_many("retry").act(jobs) == ["retried"] * 248 + ["gone"] * 2
    assert len(world.snapshot()["waiting"]["pick"]) == 248


async def test_what_a_script_has_not_come_to_is_sent_again(make_many: MakeMany, world: World) -> None:
    """Each job stands in a long list of its own, and one script searches only so many; each gets its word."""
    others = [f"other{number}" for number in range(9_000)]
    given = [f"{number:02}" for number in range(60)]
    jobs = {f"shop:{job_id}": {"_status": "cancelled", "_lookups": f"user:{job_id}"} for job_id in given}
    world.seed(jobs=jobs, lookups={f"shop:user:{job_id}": [*others, job_id] for job_id in given})
    assert await make_many("delete").act(ids("99", *given)) == ["gone"] + ["deleted"] * 60
    assert world.snapshot()["lookups"] == {f"shop:user:{job_id}": others for job_id in given}


async def test_moves_them(make_many: MakeMany, world: World) -> None:
    """What is there already, and children, stay where they are."""
    world.seed(
        jobs={"shop:1": failed(), "shop:2": {"a": "1"}, "shop:3": {"_queue": "ship"}, "pack:box:c": {"a": "1"}},
        waiting={"pick": ["2"], "ship": ["3"], "pack:box": ["c"]},
    )
    words = await make_many("move", queue="ship").act([*ids("1", "2", "3", "4"), ("pack:box", "c")])
    assert words == ["moved", "moved", "there", "gone", "child"]
    assert world.snapshot()["waiting"] == {"ship": ["3", "1", "2"], "pack:box": ["c"]}


async def test_scripts_that_the_server_does_not_know(make_many: MakeMany, world: World) -> None:
    """They go in full: each job is acted on once."""
    world.seed(jobs={f"shop:{number}": failed() for number in range(5)})
    world.redis.script_flush()
    assert await make_many("retry").act(ids(*"01234")) == ["retried"] * 5
    assert sorted(world.snapshot()["waiting"]["pick"]) == list("01234")


@pytest.mark.parametrize("ended", [NOW, NOW + 1])
async def test_what_has_ended_since_is_left_as_it_is(make_many: MakeMany, world: World, ended: int) -> None:
    """Somebody has retried it, and it has failed once more."""
    world.seed(jobs={"shop:1": failed(ended), "shop:2": failed(NOW - 1)})
    for verb, word in (("retry", "retried"), ("delete", "deleted")):
        assert await make_many(verb, before_ms=NOW).act(ids("1", "2")) == ["changed", word]
        world.seed(jobs={"shop:2": failed(NOW - 1)})
    assert world.job("shop:1")["_status"] == "failed"


async def test_what_is_in_another_state_by_now_is_left_as_it_is(make_many: MakeMany, world: World) -> None:
    """Who cancels what waits does not stop what runs, and who deletes what failed deletes nothing that is retried."""
    world.seed(
        jobs={"shop:1": processing(), "shop:2": {"a": "1"}}, waiting={"pick": ["2"]}, processing={"pick": {"1": NOW}}
    )
    assert await make_many("delete", ("failed",)).act(ids("1", "2")) == ["changed", "changed"]
    assert await make_many("cancel", ("waiting", "delayed")).act(ids("1", "2")) == ["changed", "cancelled"]
    assert "_cancel" not in world.job("shop:1")


async def test_an_error_is_one_jobs_own(make_many: MakeMany, world: World) -> None:
    """A key that is not ours stands where one job would wait; the others are retried."""
    world.seed(jobs={"shop:1": failed(), "shop:2": {**failed(), "_queue": "ship"}, "shop:3": failed()})
    world.redis.set(world.key("waiting", "ship"), "theirs")
    one, two, three = await make_many("retry").act(ids("1", "2", "3"))
    assert (one, three) == ("retried", "retried")
    assert isinstance(two, KeyConflict)
    assert isinstance(two, StoreError)


async def test_children_are_cancelled_and_deleted_too(make_many: MakeMany, world: World) -> None:
    """As where one job is acted on."""
    child = world.key("jobs", "pack:box:c")
    parent = processing("pack", _status="children", _policy="continue", _next="ship")
    parent["children:pack:jobs"] = f'["{child}"]'
    world.seed(
        jobs={"shop:9": parent, "pack:box:c": {"_parent": "shop:9"}},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"c"}},
        parents={"pack:box": {"c": "shop:9"}},
        waiting={"pack:box": ["c"]},
    )
    assert await make_many("cancel").act(ids("9")) == ["cancelled"]
    assert world.job("pack:box:c")["_status"] == "cancelled"
    assert await make_many("delete").act(ids("9")) == ["deleted"]
    assert "jobs" not in world.snapshot()


async def test_children_are_deleted_to_any_depth(make_many: MakeMany, world: World) -> None:
    """Whatever became of them since, and though they ended later than was asked."""
    of = {name: f'["{world.key("jobs", name)}"]' for name in ("pack:box:c", "pack:box:in:d")}
    world.seed(
        jobs={
            "shop:9": failed(NOW - 5) | {"children:pack:jobs": of["pack:box:c"]},
            "pack:box:c": {**failed(NOW + 5), "_parent": "shop:9", "children:pack:box:jobs": of["pack:box:in:d"]},
            "pack:box:in:d": {"_parent": "pack:box:c"},
        },
    )
    assert await make_many("delete", ("failed",), NOW).act(ids("9")) == ["deleted"]
    assert "jobs" not in world.snapshot()


async def test_on_a_full_server() -> None:
    """What frees memory goes on; retrying is refused as a whole, and nothing has changed."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        world = World(redis, "t:")
        connection = Connection(url, "test-many")
        world.seed(jobs={"shop:1": failed(), "shop:2": {"a": "1"}}, waiting={"pick": ["2"]})

        def many(verb: str) -> ManyJobs:
            return ManyJobs(Control(connection, world.settings), Asked(verb, frozenset(ANY), 1 << 53, "why"))

        redis.config_set("maxmemory", 1)
        with pytest.raises(StoreFull):
            await many("retry").act(ids("1"))
        assert await many("cancel").act(ids("2")) == ["cancelled"]
        assert await many("delete").act(ids("1", "2")) == ["deleted", "deleted"]
        redis.config_set("maxmemory", 0)
        await connection.close()
