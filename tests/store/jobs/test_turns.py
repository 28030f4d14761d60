"""Turns in Python: outcomes are packed as the scripts read them, and answers come back typed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from redis import Redis

from flows import Limiter
from flows.errors import StoreFull
from flows.model.limits.rules import Rules
from flows.model.outcome import OUTCOMES, Advance, AwaitChildren, Finish, NewChild, Outcome, Release
from flows.store.client.connection import Connection
from flows.store.jobs.finished import first_part, fits_one_script
from flows.store.jobs.turns import Turns
from flows.testing import private_server
from tests.outcomes import EXAMPLES
from tests.world import World, processing

#: Each outcome, and where its job is afterwards.
CASES: list[tuple[Outcome, str, str]] = [
    (EXAMPLES[kind], row.state, "pack" if kind is Advance else "pick") for kind, row in OUTCOMES.items()
]


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open the connection of the turns."""
    connection = Connection(redis_url, "test-turns")
    yield connection
    await connection.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case[0]).__name__)
@pytest.mark.parametrize("by", ["turn", "report"])
async def test_every_outcome_is_a_transition(
    connection: Connection, world: World, case: tuple[Outcome, str, str], by: str
) -> None:
    """By turn and by report alike; the fields of the outcome are in the hash."""
    outcome, state, queue = case
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    turns = Turns(connection, world.settings, "pick", "w1", ["a", "none"])
    turn = await turns.turn([], 5, busy=False)
    [claimed] = turn.claimed
    assert (claimed.id, claimed.fence, claimed.attempt, claimed.visit, claimed.isolated) == ("1", 1, 1, 0, False)
    assert (claimed.values, claimed.correlation_id, turn.left) == ([b"1", None], None, 0)
    if by == "turn":
        words = (await turns.turn([turns.finished(claimed, outcome)], 0, busy=False)).words
    else:
        words = await turns.report([turns.finished(claimed, outcome)])
    assert words == ["cancelled" if state == "cancelled" else "ok"]
    job = world.job("shop:1")
    assert (job["_status"], job["_queue"]) == (state, queue)
    assert job.get("b", "2" if "b" not in getattr(outcome, "fields", {}) else None) == "2"


async def test_a_turn_can_be_repeated(connection: Connection, world: World) -> None:
    """The same jobs with the same fences, and nothing ends or begins twice."""
    world.seed(jobs={f"shop:{number}": {"a": "1"} for number in "123"}, waiting={"pick": ["1", "2", "3"]})
    turns = Turns(connection, world.settings, "pick", "w1", ["a"])
    first = await turns.turn([], 1, busy=False)
    second = await turns.turn([turns.finished(first.claimed[0], Finish({}))], 1, busy=False)
    again = await turns.repeat()
    assert (again.words, again.left) == (second.words, second.left)
    assert (
        [(job.id, job.fence) for job in again.claimed] == [(job.id, job.fence) for job in second.claimed] == [("2", 1)]
    )
    assert world.snapshot()["waiting"] == {"pick": ["3"]}


async def test_a_child_hands_its_result_to_its_parent(connection: Connection, world: World) -> None:
    """As one JSON object, made of the fields as they are."""
    world.seed(
        jobs={
            "shop:9": {**processing("pack"), "_status": "children", "_next": "ship"}
            | {"children:pack:jobs": f'["{world.namespace}job:pack:box:1"]'},
            "pack:box:1": {"n": "1", "_parent": "shop:9"},
        },
        pending={"shop:9": {"1"}},
        waiting={"pack:box": ["1"]},
    )
    turns = Turns(connection, world.settings, "pack:box", "w1", [])
    [claimed] = (await turns.turn([], 1, busy=False)).claimed
    await turns.report([turns.finished(claimed, Finish({"a": b"[]", "b": b'"x"'}))])
    child_result = '{"id":"1","status":"done","result":{"a":[],"b":"x"}}'
    assert world.job("shop:9")["children:pack:results"] == f'{{"box":[{child_result}]}}'


def test_children_of_many_fields_are_written_in_parts() -> None:
    """Some hosts take 3,999 arguments in a request; one child goes whole, however many it has."""
    for fields, fit in ((1, 200), (20, 81), (2000, 1)):
        child = NewChild("box", "c", {f"f{number}": b"1" for number in range(fields)})
        assert len(first_part([child] * 300)) == fit
        assert fits_one_script([child] * fit)
        assert not fits_one_script([child] * (fit + 1))


@pytest.mark.parametrize("stop_after", [0, 1, 2, 5])
async def test_many_children_are_built_on_by_a_second_attempt(
    connection: Connection, world: World, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt dies after some calls; the second goes on, and each child waits exactly once."""
    world.seed(jobs={"shop:9": {"a": "1"}}, waiting={"pick": ["9"]})
    children = [NewChild("box", f"c{number}", {"n": b"1"}) for number in range(500)]
    assert not fits_one_script(children)
    turns = Turns(connection, world.settings, "pick", "w1", [])
    [claimed] = (await turns.turn([], 1, busy=False)).claimed
    left = iter(range(stop_after))
    run = connection.run

    async def dying(*arguments: object) -> object:
        if next(left, None) is None:
            raise ConnectionAbortedError
        return await run(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(connection, "run", dying)
        with pytest.raises(ConnectionAbortedError):
            await turns.create_children(claimed, children)
    await turns.report([turns.finished(claimed, Release())])
    assert await turns.create_children(claimed, children) == "stale"
    [again] = (await turns.turn([], 1, busy=False)).claimed
    assert await turns.create_children(again, children) == "ok"
    await turns.report([turns.finished(again, AwaitChildren([], "pack", {}))])
    found = world.snapshot()
    assert found["waiting"] == {"pick:box": [child.id for child in children]}
    assert found["pending"] == {"shop:9": {child.id for child in children}}
    assert "building" not in found


async def test_a_full_server_is_said() -> None:
    """The turn is refused whole, and report records what has ended."""
    with private_server() as url:
        connection = Connection(url, "test")
        try:
            await connection.call("HSET", "job:shop:1", "a", "1")
            await connection.call("RPUSH", "queue:pick:waiting", "1")
            turns = Turns(connection, World(None, "").settings, "pick", "w1", [])  # type: ignore[arg-type]
            [claimed] = (await turns.turn([], 1, busy=False)).claimed
            await connection.call("CONFIG", "SET", "maxmemory", "1")
            with pytest.raises(StoreFull):
                await turns.turn([turns.finished(claimed, Finish({}))], 1, busy=False)
            assert await turns.report([turns.finished(claimed, Finish({}))]) == ["ok"]
        finally:
            await connection.close()


async def test_jobs_of_a_queue_with_rules_may_start_later(connection: Connection, redis: Redis, namespace: str) -> None:
    """Two are given out at once, the third with the time of its token; fields and priority stand where they should."""
    rules = Rules(priorities=2, limiters=(Limiter(2, 1.0),))
    world = World(redis, namespace, rules={"pick": rules})
    jobs = {f"shop:{number}": {"a": number, "_priority": "2"} for number in "123"}
    world.seed(jobs=jobs, waiting={"pick/2": ["1", "2", "3"]})
    turns = Turns(connection, world.settings, "pick", "w1", ["a"])
    first = await turns.turn([], 3, busy=False)
    assert [(job.start_at, job.values, job.priority) for job in first.claimed] == [
        (0.0, [b"1"], b"2"),
        (0.0, [b"2"], b"2"),
    ]
    assert 0 < first.next_due_ms <= 951
    await asyncio.sleep(first.next_due_ms / 1000)
    second = await turns.turn([], 3, busy=False)
    [job] = second.claimed
    assert (job.values, job.priority) == ([b"3"], b"2")
    assert job.start_at == 0.0 or second.answered < job.start_at <= second.answered + 0.05
    assert first.answered > 0


@pytest.mark.parametrize(
    ("rules", "ahead"),
    [
        (Rules(priorities=2), True),
        (Rules(group="user"), True),
        (Rules(limiters=(Limiter(2, 1.0),)), False),
        (Rules(slots=1), False),
        (Rules(group="user", slots_per_group=1), False),
    ],
)
def test_claims_ahead_only_where_a_job_takes_no_token_and_no_slot(world: World, rules: Rules, *, ahead: bool) -> None:
    """What lies in a worker and does not run would keep it from others."""
    settings = replace(world.settings, rules={"pick": rules})
    connection: Any = None
    assert Turns(connection, settings, "pick", "w1", []).may_prefetch is ahead
    assert Turns(connection, settings, "ship", "w1", []).may_prefetch
