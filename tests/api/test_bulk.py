"""Acting on many jobs at once: what is seen first is what is acted on, once each, also where no worker lives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis

from flows.api import JobQuery, audit, bulk, jobs, queues
from flows.errors import QueryChanged, StateError, StoreFull, ValidationError
from flows.testing import private_server
from tests.api.conftest import Left
from tests.api.shop import Order, leave, shop

FAILED = JobQuery.parse("flow:shop state:failed error:TimeoutError")


async def test_retries_what_a_query_matches(left_to_act: Left) -> None:
    """Nobody has the flow's code, and no worker of it lives: whoever waits for the action does it."""
    async with left_to_act.admin() as admin:
        seen = await bulk.preview(admin, "retry", FAILED)
        assert (seen.count, seen.exact, {job.id for job in seen.sample}) == (
            2, True, {left_to_act.ids["failed"], left_to_act.ids["failed2"]}
        )  # fmt: skip
        assert [(one.queue, one.count, one.used_up) for one in seen.parts] == [("shop-price", 2, 2)]
        assert seen.parts[0].oldest < seen.before
        begun = await bulk.apply(admin, "retry", FAILED, seen.count, undo=timedelta(0))
        assert (begun.word, begun.flow, begun.count) == ("begun", "shop", 2)
        done = await bulk.wait(admin, begun.id)
        assert (done.state, done.words, done.done, done.verb) == ("done", {"retried": 2}, 2, "retry")
        assert (await queues.show(admin, queue="shop-price")).queues[0].waiting == 3
        assert (await bulk.preview(admin, "retry", FAILED)).count == 0
        with pytest.raises(StateError, match="is over"):
            await bulk.cancel(admin, begun.id)
        [entry, _asked] = (await audit.list_actions(admin, doing="bulk.apply")).actions
        assert (entry.word, entry.count, entry.flow, entry.given["query"]) == ("begun", 2, "shop", FAILED.text)
        about = (await audit.list_actions(admin, about=begun.id)).actions
        assert [(one.operation, one.word) for one in about] == [
            ("bulk.cancel", "StateError"), ("bulk.cancel", "asked"), ("bulk.apply", "begun")
        ]  # fmt: skip


async def test_what_was_undone_has_touched_nothing(left_to_act: Left) -> None:
    """Within its window an action is a delayed job; a server that serves begins it when that is over."""
    async with left_to_act.admin() as admin:
        await admin.serve_bulk()
        begun = await bulk.apply(admin, "delete", JobQuery.parse("flow:shop user_id:9"), 2, undo=timedelta(hours=1))
        assert (await bulk.show(admin, begun.id)).state == "delayed"
        assert (await bulk.cancel(admin, begun.id)).word == "cancelled"
        assert (await bulk.show(admin, begun.id)).state == "cancelled"
        assert (await jobs.find(admin, JobQuery.parse("flow:shop user_id:9"))).total == 2


async def test_refuses_what_was_not_seen(left_to_act: Left) -> None:
    """Where the query matches other jobs by now, or names what the flow does not have, nothing is begun."""
    flow = shop(left_to_act.url, left_to_act.namespace)
    await flow.create_jobs([Order(user_id=9)] * 5)
    await flow.stop_all()
    async with left_to_act.admin() as admin:
        with pytest.raises(QueryChanged, match="matches 7 jobs now, and you saw 2"):
            await bulk.apply(admin, "cancel", JobQuery.parse("flow:shop user_id:9"), 2)
        with pytest.raises(ValidationError, match="one by one"):
            await bulk.preview(admin, "retry", JobQuery.parse(f"flow:shop id:{left_to_act.ids['failed']}"))
        with pytest.raises(ValidationError, match="to= is for `move`"):
            await bulk.apply(admin, "move", FAILED, 2)
        assert (await audit.list_actions(admin, doing="bulk.apply")).actions[0].word == "ValidationError"


async def test_frees_memory_where_the_server_is_full() -> None:
    """Deleting goes on without a job of its own, and is told to this process's log; retrying is refused."""
    with private_server() as url, Redis.from_url(url) as redis:
        left = Left(url, "", await leave(url, ""))
        redis.config_set("maxmemory", 1)
        async with left.admin() as admin:
            with pytest.raises(StoreFull):
                await bulk.apply(admin, "retry", FAILED, 2)
            with pytest.raises(StoreFull):
                await jobs.retry(admin, left.ids["failed"])
            begun = await bulk.apply(admin, "delete", FAILED, 2, undo=timedelta(0))
            assert begun.word == "begun here"
            assert (await bulk.wait(admin, begun.id)).words == {"deleted": 2}
            assert (await jobs.cancel(admin, left.ids["waiting"])).word == "cancelled"
            with pytest.raises(StoreFull):
                await queues.pause(admin, "shop-price")
            assert (await queues.show(admin, queue="shop-price")).queues[0].failed == 0
