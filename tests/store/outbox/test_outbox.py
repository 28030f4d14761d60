"""outbox: the script that ends a job writes its entry in the log and its reports, once, however the job ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from flows.model.endings.outbox import Outbox, ReportsTo
from flows.store.client.scripts import load
from flows.store.jobs.flow_settings import UNSAID
from tests.counted import CountedWorld, counted_world
from tests.store.outbox.outbox_world import (
    ENDINGS,
    FIELDS,
    OUTBOX,
    REPORTS,
    job_id,
    logged,
    logged_as,
    outbox_world,
    report_id,
    told,
)
from tests.world import NOW, Argument, World, advance, cancel, fail, finish, processing

ONE = job_id(1)
#: Of the job that ends in every way below.
MAIL = {"type": '"mail"', "tenant": '"acme"'}
DAY = 86_400_000


def seed(world: World, number: int = 1, **fields: str) -> str:
    """Let worker `w1` have a job of `pick`, and return its id."""
    one = job_id(number)
    world.seed(jobs={f"shop:{one}": processing(**{**MAIL, **fields})}, processing={"pick": {one: NOW + 9}})
    return one


def seed_waiting(world: World, **fields: str) -> None:
    """Let a job wait in `pick`."""
    world.seed(jobs={f"shop:{ONE}": {**MAIL, **fields}}, waiting={"pick": [ONE]})


def ends_by(ended: list[Argument]) -> Callable[[World], object]:
    """Return a way to end: its worker reports this."""

    def way(world: World) -> None:
        seed(world)
        world.report(ended)

    return way


def cancelled_waiting(world: World) -> None:
    """Cancel it while it waits."""
    seed_waiting(world)
    world.run("cancel", id=ONE, reason="unwanted")


def cancelled_running(world: World) -> None:
    """Cancel it while it runs: its worker hears of it and reports what it would have done."""
    seed(world)
    world.run("cancel", id=ONE, reason="unwanted")
    world.report(advance(ONE))


def cancelled_by_query(world: World) -> None:
    """Cancel it together with others."""
    seed_waiting(world)
    world.run("cancel_jobs", ONE, reason="unwanted", set_aside=0)


def malformed(world: World) -> None:
    """Claim it when its hash was edited into nonsense."""
    world.seed_damaged(jobs={f"shop:{ONE}": {**MAIL, "_attempt": "nonsense"}}, waiting={"pick": [ONE]})
    world.claim()


def homeless(world: World) -> None:
    """Reconcile it when its hash names a queue that there is not."""
    world.seed_damaged(jobs={f"shop:{ONE}": {**MAIL, "_status": "waiting", "_queue": "nowhere"}})
    world.reconcile()


def poison(world: World) -> None:
    """Rescue it as often as a job is."""
    seed(world, _rescues="5", _attempts="6", _fence="6")
    world.now += 10
    world.run("rescue")


def conflict(world: World) -> None:
    """Pass it on to a queue whose key holds something else."""
    seed(world)
    world.redis.set(world.keys.waiting("ship"), "mine")
    world.report(advance(ONE, to="ship"))


def joined(world: World) -> None:
    """End its last child."""
    child = job_id(2)
    world.seed(
        jobs={
            f"shop:{ONE}": {**MAIL, "_status": "children", "_queue": "pack", "_policy": "continue", "_fence": "1",
                            "_worker": "w1", "_attempts": "1"},
            f"pack:box:{child}": processing("pack:box", _parent=f"shop:{ONE}"),
        },
        processing={"pack:box": {child: NOW + 9}},
        children={"pack": {ONE: NOW}},
        pending={f"shop:{ONE}": {child}},
    )  # fmt: skip
    world.report(finish(child), queue="pack:box")


WAYS: dict[str, tuple[Callable[[World], object], str, str | None]] = {
    "finish": (ends_by(finish(ONE)), "done", None),
    "finish with fields": (ends_by(finish(ONE, a="1", b="2")), "done", None),
    "fail": (ends_by(fail(ONE, error='{"type":"no.such-order","message":"x"}')), "failed", "no.such-order"),
    "an error without a type": (ends_by(fail(ONE, error='{"message":"type"}')), "failed", "other"),
    "cancel": (ends_by(cancel(ONE)), "cancelled", None),
    "cancelled while it waits": (cancelled_waiting, "cancelled", None),
    "cancelled while it runs": (cancelled_running, "cancelled", None),
    "cancelled by a query": (cancelled_by_query, "cancelled", None),
    "malformed": (malformed, "failed", "MalformedJob"),
    "in no queue": (homeless, "failed", "MalformedJob"),
    "poison": (poison, "failed", "Poison"),
    "a key of another type": (conflict, "failed", "KeyConflict"),
    "its last child has ended": (joined, "done", None),
}


@pytest.mark.parametrize(("way", "word", "error"), WAYS.values(), ids=WAYS)
def test_each_way_to_end_leaves_one_entry_and_one_report(
    world: World, way: Callable[[World], object], word: str, error: str | None
) -> None:
    """With the job's fields, and of a failure its error's type; failures of this type are told at `pack:box` too."""
    way(world)
    of_error = {} if error is None else {"error": error}
    assert {one: logged(world, one) for one in ("done", "failed", "cancelled")} == {
        "done": [], "failed": [], "cancelled": [], word: [{"id": ONE, **MAIL, **of_error}],
    }  # fmt: skip
    assert logged_as(world, error or "other") == logged(world, "failed")
    ending = {"job": ONE, "outcome": word, "ended": world.now, "type": "mail", "tenant": "acme", **of_error}
    assert told(world) == {report_id(1): ending}
    assert told(world, "pack:box") == ({report_id(1): ending} if error else {})


def test_a_report_is_a_job_that_waits_since_the_ending(world: World) -> None:
    """A worker claims it as any other, and not as one as old as its id; its failure is logged and not reported."""
    seed(world)
    world.report(finish(ONE))
    world.now += 500
    [job] = world.claim(queue="pack:label", fields=("ending",))
    assert (job.id, job.attempt, job.visit, job.waited) == (report_id(1), 1, 0, 500)
    assert world.report(fail(job.id, job.fence, '{"type":"Gone"}'), queue="pack:label") == ["ok"]
    assert logged(world, "failed", "pack:label") == [{"id": job.id, "type": "", "tenant": "", "error": "Gone"}]
    assert logged(world, "failed") == logged_as(world, "Gone") == []
    assert told(world) == told(world, "pack:box") == {}


def test_a_second_ending_has_a_report_of_its_own(world: World) -> None:
    """A job that was retried by hand has another visit, and so has its report's id."""
    seed(world)
    world.report(fail(ONE))
    world.run("retry_job", id=ONE)
    [job] = world.claim()
    world.report(finish(ONE, job.fence))
    assert [(one, ending["outcome"]) for one, ending in told(world).items()] == [
        (report_id(1), "failed"), (report_id(1, 1), "done"),
    ]  # fmt: skip
    assert len(logged(world, "failed")) == len(logged(world, "done")) == 1


def test_a_turn_that_is_sent_twice_leaves_one_report(world: World) -> None:
    """The answer was lost, and the same turn comes again."""
    seed(world)
    for _ in range(2):
        world.turn(finish(ONE), number=7)
    assert len(told(world)) == len(logged(world, "done")) == 1


def test_an_attempt_that_was_lost_leaves_nothing(world: World) -> None:
    """Its fence is an older one: it ends nothing."""
    seed(world, _fence="2", _attempts="2")
    assert world.report(finish(ONE, 1)) == ["stale"]
    assert (told(world), logged(world, "done")) == ({}, [])


@pytest.mark.parametrize(
    ("type_", "heard"), [('"mail"', True), ('"sms"', True), ('"mai"', False), ('"il,sm"', False), (None, False)]
)
def test_reporters_of_some_types(world: World, type_: str | None, heard: bool) -> None:  # noqa: FBT001
    """They hear of these alone; a job that has no type is none of theirs."""
    fields = {} if type_ is None else {"type": type_}
    world.seed(jobs={f"shop:{ONE}": processing(**fields)}, processing={"pick": {ONE: NOW + 9}})
    world.report(fail(ONE))
    assert (len(told(world)), len(told(world, "pack:box"))) == (1, int(heard))


def test_reporters_of_some_types_where_nothing_is_copied(redis: Redis, namespace: str) -> None:
    """There are no types then, and nothing is theirs."""
    world = outbox_world(redis, namespace, Outbox(None, REPORTS[1:]))
    seed(world)
    assert world.report(fail(ONE)) == ["ok"]
    assert told(world, "pack:box") == {}


def test_of_a_long_value_nothing_is_copied(world: World) -> None:
    """Nor of one that is not there; the entry has all fields all the same."""
    seed(world, type='"' + "x" * 255 + '"')
    world.report(finish(ONE))
    assert logged(world, "done") == [{"id": ONE, "type": "", "tenant": '"acme"'}]
    assert told(world)[report_id(1)]["type"] is None


def test_at_most_a_hundred_types_have_a_log(world: World) -> None:
    """Those that come later share one; the log of all failures has each."""
    for number in range(102):
        one = seed(world, number)
        world.report(fail(one, error=f'{{"type":"E{number}"}}'))
    types: Any = world.redis.smembers(world.key("error_types", "shop"))
    assert types == {f"E{number}" for number in range(100)} | {"other"}
    assert [entry["error"] for entry in logged_as(world, "other")] == ["E100", "E101"]
    assert len(logged(world, "failed")) == 102
    world.report(fail(seed(world, 200), error='{"type":"E5"}'))
    assert [entry["id"] for entry in logged_as(world, "E5")] == [job_id(5), job_id(200)]


def test_logs_are_bounded(redis: Redis, namespace: str) -> None:
    """By about as many entries as were asked for, and by the days after the last one; `~` drops whole nodes of 100."""
    world = outbox_world(redis, namespace, replace(OUTBOX, endings=replace(ENDINGS, most=200)))
    ids = [seed(world, number) for number in range(450)]
    for start in range(0, len(ids), 90):
        world.report(*(finish(one) for one in ids[start : start + 90]))
    assert 200 <= len(logged(world, "done")) < 400
    assert logged(world, "done")[-1]["id"] == ids[-1]
    assert world.lives("endings", "shop:done", 2 * DAY)


def test_a_log_that_copies_nothing(redis: Redis, namespace: str) -> None:
    """Its entries have the job alone."""
    world = outbox_world(redis, namespace, Outbox(replace(ENDINGS, fields=())))
    seed(world)
    world.report(finish(ONE))
    assert logged(world, "done") == [{"id": ONE}]


def test_where_there_is_no_log_its_keys_are_nobodys(redis: Redis, namespace: str) -> None:
    """What somebody else keeps there stops no report."""
    world = outbox_world(redis, namespace, Outbox(None, REPORTS, FIELDS))
    for key in (world.keys.endings("shop", "failed"), world.keys.error_types("shop")):
        redis.set(key, "mine")
    seed(world)
    assert world.report(fail(ONE)) == ["ok"]
    assert len(told(world)) == 1


def test_a_clock_that_was_set_back(world: World) -> None:
    """The log goes on behind its last entry; else no ending would be logged until the time is made up."""
    seed(world)
    world.redis.xadd(world.key("endings", "shop:done"), {"id": "later"}, id=f"{NOW + 1000}-0")
    world.report(finish(ONE))
    assert [entry["id"] for entry in logged(world, "done")] == ["later", ONE]


def test_reports_without_a_log(redis: Redis, namespace: str) -> None:
    """And what has ended is listed as ever, log or not: jobs whose hashes are there."""
    for name, outbox in (("silent:", Outbox(None, REPORTS, FIELDS)), ("logging:", OUTBOX)):
        world = outbox_world(redis, namespace + name, outbox)
        seed(world)
        world.report(finish(ONE))
        assert redis.lrange(world.keys.ended_jobs("pick", "done"), 0, -1) == [ONE]
        assert (len(told(world)), len(logged(world, "done"))) == (1, int(outbox is OUTBOX))


def test_a_process_that_does_not_say_it_reads_what_others_have_said(redis: Redis, namespace: str) -> None:
    """As producers do, which declare no reporters: what they cancel is told all the same."""
    silent = World(redis, namespace, outbox=UNSAID)
    seed_waiting(silent)
    knowing = outbox_world(redis, namespace)
    knowing.run("register", owner="shop", queue_count=0, former_count=0)
    silent.run("register", owner="shop", queue_count=0, former_count=0)
    assert redis.get(silent.keys.settings("shop")) == knowing.settings.packed
    silent.run("cancel", id=ONE, reason="unwanted")
    assert (len(told(silent)), len(logged(silent, "cancelled"))) == (1, 1)


def test_a_process_that_does_not_say_it_where_nobody_has(redis: Redis, namespace: str) -> None:
    """Nothing is left behind; where the key holds something else, the script stops before it writes."""
    world = World(redis, namespace, outbox=UNSAID)
    seed(world)
    assert world.report(finish(ONE)) == ["ok"]
    assert told(world) == {}
    seed(world, 2)
    redis.lpush(world.keys.settings("shop"), "mine")
    with pytest.raises(ResponseError, match="flows:settings:shop holds a list"):
        world.report(finish(job_id(2)))


def test_who_says_that_nothing_is_left_behind_is_heard(redis: Redis, namespace: str) -> None:
    """A release without reporters takes them away, and a process that says nothing leaves nothing behind then."""
    world, silent = World(redis, namespace), World(redis, namespace, outbox=UNSAID)
    for one in (outbox_world(redis, namespace), world):
        one.run("register", owner="shop", queue_count=0, former_count=0)
    seed(silent)
    silent.report(finish(ONE))
    assert (told(silent), logged(silent, "done")) == ({}, [])


@pytest.mark.parametrize(
    "key",
    ["queue:pack:label:waiting", "flows:endings:shop:done", "flows:endings:shop:failed", "flows:error_types:shop"],
)
def test_a_key_of_another_type_stops_the_script_before_it_writes(world: World, key: str) -> None:
    """Whatever the job ends as: nothing would roll back."""
    seed(world)
    world.redis.set(world.namespace + key, "mine")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"{key} holds a string"):
        world.report(finish(ONE))
    assert world.snapshot() == before


def test_a_report_whose_key_is_taken_stops_nothing(world: World) -> None:
    """Nor a log of a type of error: the job ends, and all else is written."""
    seed(world)
    world.redis.set(world.key("jobs", f"pack:label:{report_id(1)}"), "mine")
    world.redis.set(world.key("errors", "shop:E"), "mine")
    assert world.report(fail(ONE)) == ["ok"]
    assert world.life("errors", "shop:E") == -1
    assert (len(logged(world, "failed")), told(world), len(told(world, "pack:box"))) == (1, {}, 1)


def test_scripts_of_plain_flows_have_no_trace_of_it() -> None:
    """What they send is what they sent before there were outboxes."""
    for name in ("turn", "report", "rescue", "cancel", "reconcile"):
        for overlays in ((), ("rules",)):
            text = load(name, *overlays).text
            assert not any(word in text for word in ("XADD", "flows_key('endings'", "flows_key('errors'"))


def commands_of_an_end(world: CountedWorld, **fields: str) -> int:
    """Return how many commands the end of a second job of a script sends."""
    ids = [seed(world, number, **fields) for number in (1, 2, 3)]
    world.report(finish(ids[0]))
    world.report(finish(ids[1]), finish(ids[2]))
    one, two = world.sent.pop("report")
    return two - one


def test_what_an_ending_costs() -> None:
    """Commands of a job: of a reporter of other endings none, of a log two, of reports one and one for each."""
    others = (ReportsTo("pack:label", on={"failed"}),)
    costs: dict[str, int] = {}
    outboxes = {
        "plain": Outbox(),
        "others": Outbox(None, others),
        "log": Outbox(ENDINGS),
        "report": Outbox(None, REPORTS[:1]),
        "reports": Outbox(None, (ReportsTo("pack:label"), ReportsTo("pack:box"))),
    }
    for name, outbox in outboxes.items():
        with counted_world() as world:
            world.settings = replace(world.settings, outbox=outbox.lines, ttl_ms=0)
            costs[name] = commands_of_an_end(world)
    plain = costs["plain"]
    assert {name: cost - plain for name, cost in costs.items()} == {
        "plain": 0, "others": 0, "log": 2, "report": 2, "reports": 3,
    }  # fmt: skip
