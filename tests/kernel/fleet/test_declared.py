"""What a flow declares is on the server when it has connected, once for each release."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from flows.errors import StoreFull
from flows.kernel import session as sessions
from flows.store.fleet.declarations import read_declarations, read_declared_results
from tests.kernel.parts import Given, MakeFlow, double


async def declared(flow: Any) -> list[Any]:
    """Return the declarations of the flow, which is open."""
    session = flow._runtime.session
    return await read_declarations(session.connection, session.settings)


async def test_a_flow_that_connects_is_declared(make_flow: MakeFlow) -> None:
    """Also one that only creates jobs, and by plain calls; once for all processes of the release."""
    flow = make_flow()
    await flow.create_job(Given(number=1))
    [first] = await declared(flow)
    await flow.stop_all()
    async with make_flow(double) as working:
        [second] = await declared(working)
    assert first.digest == second.digest
    assert first.seen < second.seen
    assert [queue.name for queue in second.walk()] == ["work"]
    assert second.params.schema["properties"]["number"]["type"] == "integer"


async def test_each_release_has_its_own(make_flow: MakeFlow) -> None:
    """The one that was seen last is the first."""
    for crashes in (1, 2, 1):
        async with make_flow(max_crashes=crashes) as flow:
            found = await declared(flow)
    assert [one.max_crashes for one in found] == [1, 2]


async def test_without_schemas(make_flow: MakeFlow) -> None:
    """Where the flow keeps them to itself."""
    async with make_flow(describe=False) as flow:
        [found] = await declared(flow)
    assert (found.params.schema, found.queues[0].job.schema) == (None, None)


async def test_nonsense_is_left_out(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """What somebody has written beside it is no declaration, and hides none."""
    key = f"{namespace}flows:flow:numbers"
    redis.hset(key, mapping={"ab": "{", "cd": "7", "ab:seen": "x", "\u00e9": "1"})
    async with make_flow() as flow:
        [found] = await declared(flow)
        redis.hset(key, f"{found.digest}:seen", "x")
        assert [one.seen for one in await declared(flow)] == [None]


async def test_a_key_of_another_type_stops_nobody(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """The flow works as before, and has no declaration."""
    redis.set(f"{namespace}flows:flow:numbers", "not ours")
    async with make_flow() as flow:
        assert await declared(flow) == []
        await flow.create_job(Given(number=1))


async def test_a_full_server_stops_nobody(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are what frees memory."""

    async def full(*_given: object) -> None:
        raise StoreFull("no memory")

    monkeypatch.setattr(sessions, "declare", full)
    async with make_flow(double) as flow:
        assert await declared(flow) == []


async def test_what_functions_return_is_declared_by_their_workers(
    make_flow: MakeFlow, redis: Redis, namespace: str
) -> None:
    """By queue, as far as they say so; not where the flow keeps its schemas to itself, and nonsense is none."""

    async def results(flow: Any) -> dict[str, Any]:
        session = flow._runtime.session
        return await read_declared_results(session.connection, session.settings)

    async with make_flow() as flow:
        assert await results(flow) == {}
    async with make_flow(double, describe=False) as flow:
        assert await results(flow) == {}
    async with make_flow(lambda _job: None) as flow:
        assert await results(flow) == {}
    async with make_flow(double) as flow:
        [answer] = (await results(flow))["work"]
        assert answer.title == "Answer"
        assert list(answer.schema["properties"]) == ["answer"]
        assert len(await declared(flow)) == 1
        key = f"{namespace}flows:flow:numbers"
        for text in ("", "{", "7", "[7]", '[{"title": 7, "schema": 7}]', "[" * 50_000):
            redis.hset(key, "result:work", text)
            assert await results(flow) == {"work": ()}
    redis.delete(key)
    redis.set(key, "not ours")
    async with make_flow(double) as flow:
        assert await results(flow) == {}
