"""What the workers of a flow share in one process: opened once, closed once, on whatever loop there is."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator

import pytest
from redis import Redis

from flows import StoreUnavailable, UnsafeServer
from flows.testing import private_server
from tests.kernel.parts import LONG, Given, MakeFlow, double, heard, number_flow, within


@pytest.fixture(scope="module")
def odd_url() -> Iterator[str]:
    """Run a server that would drop keys."""
    settings = {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}
    with private_server(settings=settings) as url:
        yield url


async def test_opened_and_closed_once(make_flow: MakeFlow) -> None:
    """However many open it at once, it connects once; closing twice is fine, and so is opening again."""
    flow = make_flow(double)
    events = heard(flow)
    await asyncio.gather(*(flow.create_job(Given()) for _ in range(20)), flow.start_all())
    assert [event.name for event in events].count("flow.connected") == 1
    runtime = flow._runtime
    await asyncio.gather(*(worker.stop() for worker in flow.workers))
    await asyncio.gather(runtime.close(), runtime.close())
    await runtime.close()
    await flow.create_job(Given())
    await runtime.close()
    assert [event.name for event in events].count("flow.connected") == 2


def test_two_loops_one_after_another(make_flow: MakeFlow) -> None:
    """A script may call asyncio.run twice: many at once in each, and the flow opens again for the second."""
    flow = make_flow(double)

    async def use(*, stop: bool) -> None:
        await flow.start_all()
        ids = await asyncio.gather(*(flow.create_job(Given(number=1)) for _ in range(5)))
        for job_id in ids:
            assert (await flow.wait_for(job_id, LONG)).status == "done"
        if stop:
            await flow.stop_all()

    asyncio.run(use(stop=True))
    asyncio.run(use(stop=True))


def test_a_loop_that_ended_before_the_flow(make_flow: MakeFlow) -> None:
    """A flow that was left open when its loop ended can be closed, and used, on the next; nothing waits for ever."""
    flow = make_flow()
    job_id = asyncio.run(flow.create_job(Given(number=1)))
    asyncio.run(within(flow.stop_all()))
    assert asyncio.run(flow.get_job(job_id)) is not None

    async def again() -> None:
        assert await flow.get_job(job_id) is not None
        await flow.stop_all()

    asyncio.run(again())
    gc.collect()  # what an ended loop had left open would complain here


def test_a_lock_of_another_loop(make_flow: MakeFlow) -> None:
    """Opening at once on one loop does not hinder opening at once on the next."""
    flow = make_flow()

    async def many() -> None:
        await asyncio.gather(*(flow.create_job(Given(number=1)) for _ in range(5)))
        await flow.stop_all()

    for _ in range(3):
        asyncio.run(many())


async def test_no_server(tmp_path_factory: pytest.TempPathFactory, namespace: str) -> None:
    """Without a server every call says so quickly and with the address, in one error without inner ones of redis."""
    flow = number_flow(f"unix://{tmp_path_factory.mktemp('none')}/no.sock", namespace)
    for call in (flow.start_all(), flow.create_job(Given()), flow.wait_for("01890000-0000-7000-8000-000000000000", 1)):
        with pytest.raises(StoreUnavailable, match=r"no answer from unix://.*/no\.sock"):
            await within(call, 3)
    other = number_flow("redis://127.0.0.1:1/0", namespace)
    with pytest.raises(StoreUnavailable, match=r"no answer from redis://127\.0\.0\.1:1/0"):
        await within(other.start_all(), 3)


async def test_wrong_credentials(namespace: str) -> None:
    """A refused password is told at once, as that, and does not show in the error."""
    with private_server(settings={"requirepass": "right"}) as url:
        flow = number_flow(url.replace(":right@", ":wrong-secret@"), namespace)
        with pytest.raises(StoreUnavailable, match="refuses the credentials") as caught:
            await within(flow.start_all(), 3)
        assert "wrong-secret" not in str(caught.value)
        with pytest.raises(StoreUnavailable, match="refuses the credentials"):
            await within(number_flow(url.replace(":right@", ""), namespace).start_all(), 3)
        async with number_flow(url, namespace, double) as flow:
            assert (await flow.wait_for(await flow.create_job(Given()), LONG)).status == "done"


async def test_a_server_that_drops_keys(odd_url: str, namespace: str) -> None:
    """A server that would evict jobs when it is full is refused; without a maxmemory it is only warned of."""
    with pytest.raises(UnsafeServer, match="allkeys-lru"):
        await within(number_flow(odd_url, namespace).start_all(), 3)
    with Redis.from_url(odd_url) as redis:
        assert list(redis.scan_iter(f"{namespace}*")) == []


async def test_a_policy_without_a_limit(odd_url: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    """An eviction policy on a server without a limit is told, and the flow goes on."""
    with Redis.from_url(odd_url) as redis:
        redis.config_set("maxmemory", "0")
        try:
            with caplog.at_level(logging.WARNING):
                async with number_flow(odd_url, namespace):
                    pass
        finally:
            redis.config_set("maxmemory", "100mb")
    assert "allkeys-lru" in caplog.text


async def test_it_says_which_server(make_flow: MakeFlow, caplog: pytest.LogCaptureFixture) -> None:
    """One line tells which server is used and who named it."""
    with caplog.at_level(logging.INFO, "flows"):
        async with make_flow():
            pass
    lines = [record.getMessage() for record in caplog.records if "flow.connected" in record.getMessage()]
    assert len(lines) == 1
    assert "from redis_url" in lines[0]
