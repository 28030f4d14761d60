"""What watching costs Redis, by counts: nothing where nobody watches, and for a thousand watchers what one costs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis import Redis

from flows.model.ids import new_job_id
from flows.model.tree.node import Declared, Node
from flows.model.tree.task_record import TaskRecord
from flows.server import create_app
from flows.testing import private_server
from flows.tree.storage.protocol import Execution, InstanceRow, Token, Write
from flows.tree.storage.redis import RedisStorage
from tests.api.shop import leave
from tests.counted import CountedWorld
from tests.server.serving import Serving, receive, serving
from tests.waiting import until
from tests.world import finish

#: A room looks each 30 s whether it has missed something; here it never does.
NEVER = 3600.0
_JOBS = 20


@pytest.fixture
def url() -> Iterator[str]:
    """Run a server whose commands nobody else sends."""
    with private_server() as url:
        yield url


@pytest.fixture(autouse=True)
def _no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.server.live.tree_room.LOOKED_EVERY", NEVER)


def drain(world: CountedWorld) -> dict[str, list[int]]:
    """Create jobs, claim and finish them, and return how many commands each script has sent."""
    world.sent = {}
    rest = [part for _ in range(_JOBS) for part in (new_job_id(), "", 2, "n", "1")]
    world.run("create", *rest, queue="pick", delay_ms=0, until_ms=-1, lookup_ttl=world.settings.ttl_ms)
    running = world.claim(10)
    while running:
        running = world.turn(*(finish(job.id, job.fence) for job in running), want=10).claimed
    return world.sent


@asynccontextmanager
async def watched(server: Serving, many: int, message: dict[str, str], kind: str) -> AsyncIterator[None]:
    """Watch from so many sockets, each of which has been told how things stand."""
    async with AsyncExitStack() as stack:
        for _ in range(many):
            socket = await stack.enter_async_context(server.socket())
            await socket.send(json.dumps(message))
            await receive(socket, {kind})
        yield


async def begun(storage: RedisStorage) -> tuple[str, Token]:
    """Return an instance whose execution has begun, and what writes to it."""
    instance, execution = new_job_id(), new_job_id()
    tree = Declared(tuple(Node(f"t{number}", works=True) for number in range(10))).write()
    await storage.create(InstanceRow(instance, "bench", "site"), b"{}", tree)
    await storage.begin(instance, Execution(execution, "#", tuple(f"#.t{number}" for number in range(10))), tree, 1)
    return instance, Token(execution, execution)


async def test_jobs_cost_what_they_cost_without_watchers(url: str) -> None:
    """Alone, beside a server that was watched and is no more, and beside watchers of a tree: each script's commands.

    Who watches a job of the flow is told of its moves; that the count notices.
    """
    ids = await leave(url, "")
    storage = RedisStorage(url)
    instance, _token = await begun(storage)
    tree = {"type": "watchWorkflowInstance", "workflowId": instance}
    job = {"type": "watchTopic", "topic": f"job/shop/{ids['failed']}"}
    with Redis.from_url(url, decode_responses=True) as redis:
        world = CountedWorld(redis)

        def nobody_listens() -> bool:
            return not redis.execute_command("PUBSUB", "SHARDCHANNELS", "*")

        drain(world)  # what the first one makes is there afterwards
        alone = drain(world)
        async with serving(create_app(url)) as server:
            async with watched(server, 2, tree, "setTasksStatuses"), watched(server, 2, job, "topicState"):
                told = drain(world)
            await until(nobody_listens)
            after = drain(world)
            async with watched(server, 20, tree, "setTasksStatuses"):
                beside = drain(world)
    await storage.close()
    assert after == alone
    assert beside == alone
    assert sum(told["turn"]) > sum(alone["turn"])


async def test_redis_sees_of_a_hundred_watchers_what_it_sees_of_one(url: str) -> None:
    """All commands while 20 records are written, each of which every watcher is told of; and of none no others."""
    storage = RedisStorage(url)
    instance, token = await begun(storage)
    counts: list[dict[str, int]] = []
    with Redis.from_url(url, decode_responses=True) as redis:
        async with serving(create_app(url)) as server:
            for many in (1, 0, 1, 100):  # what the first one makes is there afterwards
                async with AsyncExitStack() as stack:
                    sockets = [await stack.enter_async_context(server.socket()) for _ in range(many)]
                    for one in sockets:
                        await one.send(json.dumps({"type": "watchWorkflowInstance", "workflowId": instance}))
                        await receive(one, {"setTasksStatuses"})
                    before = _commands(redis)
                    for number in range(20):
                        message = f"{many} {number}"
                        await storage.write(instance, token, [Write("#.t1", TaskRecord("running", message=message))])
                        for one in sockets:
                            told = await receive(one, {"setTasksStatuses"})
                            assert told["statuses"]["#.t1"]["message"] == message
                    after = _commands(redis)
                    counts.append({name: calls - before.get(name, 0) for name, calls in after.items()})
                await until(lambda: not redis.execute_command("PUBSUB", "SHARDCHANNELS", "*"))
    await storage.close()
    _first, none, one_watcher, hundred = ({name: calls for name, calls in one.items() if calls} for one in counts)
    assert none["evalsha"] == 20
    assert one_watcher == hundred
    assert none.items() <= one_watcher.items(), "where nobody watches, a command is sent that no watcher needs"


def _commands(redis: Redis) -> dict[str, int]:
    """Return how often each command was run, but for those of the connections themselves."""
    found: dict[str, dict[str, int]] = redis.info("commandstats")  # type: ignore[assignment]
    own = ("info", "ping", "client", "hello", "pubsub", "ssubscribe", "sunsubscribe")
    names = {name: name.removeprefix("cmdstat_") for name in found}
    return {names[name]: one["calls"] for name, one in found.items() if not names[name].startswith(own)}
