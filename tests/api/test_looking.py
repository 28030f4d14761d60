"""What the server holds of flows is enough to look at them: nothing here imports what has written it."""

from __future__ import annotations

import pytest

from flows.api import Admin, JobQuery, NothingThere, find_operation, flows, jobs, queues
from flows.errors import JobGone, QuerySyntaxError, ValidationError
from flows.model.state import JobState
from tests.api.conftest import Left


async def test_lists_the_flows_that_were_left(admin: Admin) -> None:
    """With their queues and lookup attributes, by their declarations; the library's own are left out."""
    found = await flows.list_flows(admin)
    assert [(one.name, one.queues, one.lookups) for one in found] == [
        ("other", 4, ["user_id", "email", "tags"]),
        ("shop", 4, ["user_id", "email", "tags"]),
    ]


async def test_shows_what_a_flow_declares(admin: Admin) -> None:
    """Queues in the order of travel, the schema of params, and what functions say that they return."""
    found = await flows.show(admin, "shop")
    assert [(queue.name, queue.next) for queue in found.declared] == [
        ("shop-price", "shop-pack"),
        ("shop-pack", "shop-ship"),
        ("shop-pack:part", None),
        ("shop-ship", None),
    ]
    assert found.params is not None
    assert found.params.json_schema is not None
    assert {*found.params.json_schema["properties"]} == {"user_id", "email", "due", "tags"}
    assert [one.title for one in found.declared[0].results] == ["Priced"]


async def test_shows_what_queues_hold(admin: Admin) -> None:
    """Numbers of jobs by state, limits, and that nobody serves them."""
    found = {queue.name: queue for queue in (await queues.show(admin, flow="shop")).queues}
    price, pack, part = found["shop-price"], found["shop-pack"], found["shop-pack:part"]
    assert (price.waiting, price.delayed, price.failed, price.unserved) == (1, 1, 2, True)
    assert (pack.children, part.waiting, part.parent) == (1, 2, "shop-pack")
    assert [limit.live for limit in found["shop-ship"].limits] == [5]
    assert price.counts["failed"] == 2
    assert [queue.name for queue in (await queues.show(admin, queue="shop-ship")).queues] == ["shop-ship"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("62", "jobs.find: character 3 of the query, at its end: '62' has no value: write its name before it"),
        ("attempt:>", "jobs.find: character 9 of the query, at '>': give a number, such as 3, >3 or <=3"),
    ],
)
async def test_a_query_that_cannot_be_read_is_told_in_one_sentence(admin: Admin, query: str, said: str) -> None:
    """Without the words of the library that checks params."""
    with pytest.raises(ValidationError) as raised:
        await find_operation("jobs.find").call(admin, {"query": query})
    assert str(raised.value).startswith(said)
    assert "Value error" not in str(raised.value)
    assert "is-instance" not in str(raised.value)


async def test_finds_jobs_by_a_query(admin: Admin, left: Left) -> None:
    """By lookup, state, queue, id, error and attempt; `flow:` names the flow."""

    async def found(text: str) -> set[str]:
        page = await jobs.find(admin, JobQuery.parse(text))
        return {name for name, job_id in left.ids.items() if job_id in {job.id for job in page.jobs}}

    assert await found("flow:shop user_id:7") == {"failed", "failed2"}
    assert await found("flow:shop user_id:7 tags:blue") == {"failed2"}
    assert await found("flow:shop state:delayed|waiting queue:shop-price") == {"waiting", "delayed"}
    assert await found("flow:shop state:failed error:TimeoutError") == {"failed", "failed2"}
    assert await found("flow:shop state:failed error:seven@example.org") == {"failed2"}
    assert await found("flow:shop state:failed -error:timeouterror") == set()
    assert await found("flow:shop state:failed attempt:>1") == set()
    assert await found(f"flow:shop state:failed id:{left.ids['failed']}|{left.ids['waiting']}") == {"failed"}
    assert await found("flow:other user_id:7") == {"other"}
    page = await jobs.find(admin, JobQuery.parse("flow:shop state:failed"))
    assert (page.total, page.exact, page.jobs[0].error_type) == (2, True, "TimeoutError")


async def test_goes_on_at_a_cursor(admin: Admin, left: Left) -> None:
    """Also where the query has a time that is relative, and where jobs are looked at one by one."""
    for text in ("flow:shop since:1h user_id:7|9", "flow:shop since:1h user_id:7|9 attempt:<5"):
        query, seen, cursor = JobQuery.parse(text), list[str](), ""
        while True:
            page = await jobs.find(admin, query, cursor=cursor, limit=1)
            seen += [job.id for job in page.jobs]
            if not (cursor := page.cursor):
                break
        assert sorted(seen) == sorted(left.ids[name] for name in ("failed", "failed2", "waiting", "delayed"))
    with pytest.raises(ValidationError, match="no cursor of this query"):
        await jobs.find(admin, JobQuery.parse("flow:shop"), cursor="x")


async def test_counts_by_state(admin: Admin) -> None:
    """Whatever state the query asks for; of done jobs only the last ones are known where no lookup is asked for."""
    counts = await jobs.count(admin, JobQuery.parse("flow:shop state:failed"))
    found = {one.state: (one.count, one.exact) for one in counts.states}
    assert [*found] == [*JobState]
    assert found[JobState.FAILED] == (2, True)
    assert (found[JobState.WAITING], found[JobState.DELAYED], found[JobState.CHILDREN]) == ((1, True),) * 3
    assert [one.state for one in counts.states if one.sampled] == [JobState.DONE]
    of_user = await jobs.count(admin, JobQuery.parse("user_id:7 error:seven"), flow="shop")
    assert {one.state: one.count for one in of_user.states if one.count} == {JobState.FAILED: 1}
    assert not any(one.sampled for one in of_user.states)


async def test_jumps_to_a_place(admin: Admin) -> None:
    """In the list of one queue and state; others are refused with what can be done instead."""
    for text in ("flow:shop queue:shop-price state:failed", "flow:shop queue:shop-pack:part state:waiting"):
        query = JobQuery.parse(text)
        page = await jobs.find(admin, query)
        assert (page.place, page.total) == (0, 2)
        second = await jobs.find(admin, query, at=1)
        assert (second.place, second.jobs, second.cursor, second.total) == (1, page.jobs[1:], "", 2)
        behind = await jobs.find(admin, query, at=2)
        assert (behind.jobs, behind.cursor) == ([], "")
    assert (await jobs.find(admin, JobQuery.parse("flow:shop state:failed"))).place is None
    for text in ("flow:shop state:failed", "flow:shop user_id:7", "flow:shop queue:shop-ship state:waiting"):
        with pytest.raises(ValidationError, match="go on by the cursor"):
            await jobs.find(admin, JobQuery.parse(text), at=1)


async def test_children_come_with_their_ways(admin: Admin, left: Left) -> None:
    """Those of a parent that waits for them wait themselves: they were in no queue so far."""
    page = await jobs.children(admin, left.ids["passed"])
    assert [(child.queue, child.state, child.path) for child in page.jobs] == [("shop-pack:part", "waiting", [])] * 2


async def test_refuses_a_query_that_it_cannot_ask(admin: Admin) -> None:
    """With a sentence that says where: an unknown attribute, a bad number, no flow."""
    with pytest.raises(QuerySyntaxError, match=r"character 11 of the query.*no lookup attribute 'usr'"):
        await jobs.find(admin, JobQuery.parse("flow:shop usr:7"))
    with pytest.raises(QuerySyntaxError, match="such as 3, >3"):
        JobQuery.parse("flow:shop attempt:many")
    with pytest.raises(ValidationError, match="name the flow, as in flow:other"):
        await jobs.find(admin, JobQuery.parse("state:failed"))
    with pytest.raises(NothingThere, match="no flow 'none'"):
        await jobs.find(admin, JobQuery.parse("flow:none"))
    with pytest.raises(QuerySyntaxError, match="leave out `or`"):
        JobQuery.parse("error:A or error:B")


async def test_shows_a_job(admin: Admin, left: Left) -> None:
    """Its fields with types and writers, its path, its error and its children, found by its id alone."""
    failed = await jobs.show(admin, left.ids["failed"])
    assert (failed.state, failed.queue, failed.flow, failed.attempt) == (JobState.FAILED, "shop-price", "shop", 1)
    assert failed.error is not None
    assert failed.error.type == "TimeoutError"
    assert "raise TimeoutError" in failed.error.traceback
    assert failed.expires is not None
    assert [(past.verb, past.error_type) for past in failed.attempts] == [("fail", "TimeoutError")]
    passed = await jobs.show(admin, left.ids["passed"])
    assert {field.name: (field.value, field.type, field.of) for field in passed.fields} == {
        "user_id": (8, "integer", "params"),
        "email": ("canary-7f3a", "string", "params"),
        "due": (None, "date-time or null", "params"),
        "tags": ([], "array", "params"),
        "price": (80, "integer", "shop-price"),
    }
    assert passed.state == JobState.CHILDREN
    assert passed.children is not None
    assert (passed.children.total, passed.children.pending) == (2, 2)
    assert passed.idempotency_key == "key-of-canary-7f3a"
    assert [visit.queue for visit in passed.path] == ["shop-price", "shop-pack"]
    with pytest.raises(JobGone):
        await jobs.show(admin, "0192f3a1-0000-7000-8000-000000000000")


async def test_explains_a_job(admin: Admin, left: Left) -> None:
    """By the sentence that the flow itself would say: nobody works on its queue."""
    found = await jobs.explain(admin, left.ids["waiting"])
    assert found.reason == "no_workers"
    assert "shop-price" in found.sentence
    assert found.remedy
