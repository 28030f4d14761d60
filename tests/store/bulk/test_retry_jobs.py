"""retry_jobs: many jobs are retried, each as `retry_job` retries one; and what scripts of many jobs have in common."""

from __future__ import annotations

import pytest

from tests.balanced import BalancedWorld
from tests.store.bulk.kinds import same_as_single
from tests.store.jobs.test_told import listen, messages
from tests.world import NOW, World, fail, processing


def failed(queue: str = "pick", ended: int = NOW - 5) -> dict[str, str]:
    """Return a job that has failed."""
    return processing(queue, _status="failed", _ended=str(ended), _error="{}")


def test_each_is_retried_as_one_alone(world: World) -> None:
    """Of each kind of job the same becomes, and the same is answered."""
    words, names = same_as_single(world, "retry_job", "retry_jobs")
    assert words.count("retried") == 2
    assert {"gone", "waiting", "cancelling", "processing", "children", "delayed", "done"} < set(words)
    assert names == []


def test_they_wait_in_the_order_in_which_they_were_given(world: World) -> None:
    """In each queue; all of them are counted, however many they are."""
    counting = BalancedWorld(world.redis, world.namespace)
    ids = [f"{number:03}" for number in range(47)]
    of = {"pick": ids[::2], "pack": ids[1::2]}
    counting.seed(
        jobs={f"shop:{job_id}": processing(queue) for queue, some in of.items() for job_id in some},
        processing={queue: dict.fromkeys(some, NOW) for queue, some in of.items()},
    )
    for queue, some in of.items():
        counting.report(*map(fail, some), queue=queue)
    words, _names, _errors = counting.run("retry_jobs", *reversed(ids))
    assert words == ["retried"] * 47
    assert world.snapshot()["waiting"] == {queue: some[::-1] for queue, some in of.items()}
    assert counting.snapshot(unseen=frozenset({"call"}))["wake"] == {"pick": {"w": 0}, "pack": {"w": 0}}


def test_an_error_is_one_jobs_own(world: World) -> None:
    """A key that is not ours stands where one would wait: of that nothing is written, and the others are retried."""
    world.seed(jobs={"shop:1": failed(), "shop:2": failed("ship"), "shop:3": failed()})
    world.redis.set(world.key("waiting", "ship"), "theirs")
    words, names, errors = world.run("retry_jobs", "1", "2", "3")
    assert (words, names) == (["retried", "error", "retried"], [])
    assert len(errors) == 1
    assert f"FLOWSCONFLICT {world.key('waiting', 'ship')} holds a string" in errors[0]
    assert world.job("shop:2") == failed("ship")
    assert world.snapshot()["waiting"]["pick"] == ["1", "3"]


def test_an_error_that_nobody_has_thought_of_is_one_jobs_own_too(world: World) -> None:
    """Its field was edited so that arithmetic fails: the script goes on, and puts the others where they wait."""
    world.seed(jobs={"shop:1": failed(), "shop:3": failed()})
    world.seed_damaged(jobs={"shop:2": failed()})
    world.redis.set(world.key("pending", "shop:2"), "harmless")
    huge = "9" * 15
    world.redis.hset(world.key("jobs", "shop:2"), "_attempt", f"1 w1 1 {huge}9999999999 0 5 {'x' * 3}=")
    words, _names, errors = world.run("retry_jobs", "1", "2", "3")
    assert (words[0], words[2], len(errors)) == ("retried", "retried", words.count("error"))
    assert {"1", "3"} <= set(world.snapshot()["waiting"]["pick"])


@pytest.mark.parametrize("ended", [NOW, NOW + 1])
def test_what_has_ended_since_is_left_as_it_is(world: World, ended: int) -> None:
    """Somebody has retried it, and it has failed once more."""
    world.seed(jobs={"shop:1": failed(ended=ended), "shop:2": failed(ended=NOW - 1)})
    words, _names, _errors = world.run("retry_jobs", "1", "2", states=" failed ", ended_before=NOW)
    assert words == ["changed", "retried"]
    assert world.job("shop:1")["_status"] == "failed"


def test_a_time_of_its_end_that_is_none_hinders_nothing(world: World) -> None:
    """Somebody has edited it: the job is one of those that were asked for."""
    world.seed_damaged(jobs={"shop:1": {**failed(), "_ended": "soon"}})
    assert world.run("retry_jobs", "1", ended_before=NOW) == [["retried"], [], []]


def test_a_call_that_is_sent_twice_answers_the_same(world: World) -> None:
    """The answer was lost, and the job has failed again meanwhile: it gets no third life."""
    world.seed(jobs={"shop:1": failed(), "shop:2": {"a": "1"}})
    call = world.settings.new_call()
    assert world.run("retry_jobs", "1", "2", call=call) == [["retried", "waiting"], [], []]
    [job] = world.claim()
    world.report(fail(job.id, job.fence))
    assert world.run("retry_jobs", "1", "2", call=call) == [["retried", "waiting"], [], []]
    assert world.job("shop:1")["_status"] == "failed"


def test_who_listens_is_told_of_each(world: World) -> None:
    """In one message."""
    world.seed(jobs={"shop:1": failed(), "shop:2": failed("pack")})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listen(world, listener)
        world.run("retry_jobs", "1", "2")
        assert messages(listener, 2) == ["1 waiting pick\n2 waiting pack"]
