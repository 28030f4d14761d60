"""Creation: one transaction, safe to send twice, and nothing half written stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from redis import Redis

from flows.errors import KeyConflict, PayloadTooLarge, StoreFull
from flows.model.ids import new_job_id
from flows.model.limits.given import rule_fields
from flows.model.limits.rules import Rules
from flows.store.client.connection import Connection
from flows.store.client.wire import Wire, pack_command
from flows.store.jobs.creation import MOST_LOOKUPS, Creation, NewJob, in_batches
from flows.store.jobs.finished import MOST_ARGUMENTS
from flows.store.keys.jobs import JobKeys
from flows.testing import private_server
from tests.world import TTL, World, finish

FIELDS = {"user": b"7", "name": b'"Joe"'}


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open the connection on which jobs are created."""
    connection = Connection(redis_url, "test-creation")
    yield connection
    await connection.close()


@pytest.fixture
def creation(connection: Connection, world: World) -> Creation:
    """Create jobs of the world's flow."""
    return Creation(connection, world.settings)


async def test_the_transaction_is_the_contract(creation: Creation, world: World) -> None:
    """What the server sees, command by command: hash, TTL, each list and its TTL, the queue, the wake-up."""
    job = creation.prepare("1", FIELDS, [("user", 7), ("tags", ["a", "b", "a"])])
    with world.redis.monitor() as monitor:
        await creation.create(job)
        commands: list[str] = []
        while not commands or commands[-1] != "EXEC":
            command = monitor.next_command()["command"]
            if world.namespace in command or command in {"MULTI", "EXEC"}:
                commands.append(command.replace(world.namespace, ""))
    lookups = ["user:7", "tags:a", "tags:b"]
    assert commands == [
        "MULTI",
        'HSET job:shop:1 user 7 name "Joe" _lookups user:7\\ntags:a\\ntags:b',
        "EXPIRE job:shop:1 86400",
        *(c for name in lookups for c in (f"RPUSH job:shop:{name} 1", f"EXPIRE job:shop:{name} 86400")),
        "RPUSH queue:pick:waiting 1",
        "ZADD flows:wake:pick 0 w",
        "EXEC",
    ]


@pytest.mark.parametrize("ttl", [TTL, 0])
async def test_the_bytes_of_one_job(
    connection: Connection, world: World, monkeypatch: pytest.MonkeyPatch, ttl: int
) -> None:
    """What goes over the wire for one job, byte by byte: the commands of the contract, and nothing else."""
    sent: list[bytes] = []
    packed = Connection.packed

    async def watched(connection: Connection, data: bytes, replies: int) -> object:
        sent.append(data)
        return await packed(connection, data, replies)

    monkeypatch.setattr(Connection, "packed", watched)
    creation = Creation(connection, replace(world.settings, ttl_ms=ttl))
    await creation.create(creation.prepare("1", {"a": b"x" * 1000, "b": b'"\xc3\xa9"'}, [("user", 7), ("b", "é")]))
    job, lookups = world.key("jobs", "shop:1"), [world.key("lookups", "shop:user:7"), world.key("lookups", "shop:b:é")]
    assert sent == [
        b"".join(
            [
                pack_command(("MULTI",)),
                pack_command(("HSET", job, "a", b"x" * 1000, "b", b'"\xc3\xa9"', "_lookups", "user:7\nb:é")),
                *([pack_command(("EXPIRE", job, 86400))] if ttl else []),
                *(
                    pack_command(command)
                    for lookup in lookups
                    for command in (("RPUSH", lookup, "1"), ("EXPIRE", lookup, 86400))
                    if ttl or command[0] == "RPUSH"
                ),
                pack_command(("RPUSH", world.key("waiting", "pick"), "1")),
                pack_command(("ZADD", world.key("wake", "pick"), 0, "w")),
                pack_command(("EXEC",)),
            ]
        )
    ]


async def test_a_batch_whose_answer_was_lost(creation: Creation, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends after EXEC was sent: the batch goes again, and each of its jobs runs once."""
    received, lost = Wire.data_received, 0

    def losing(wire: Wire, data: bytes) -> None:
        nonlocal lost
        if lost or b"QUEUED" not in data:
            received(wire, data)
            return
        lost += 1
        wire.close("the answer was lost")

    monkeypatch.setattr(Wire, "data_received", losing)
    ids = [str(number) for number in range(20)]
    assert await creation.create_many(creation.prepare(job_id, FIELDS, [("user", 7)]) for job_id in ids) == ids
    assert lost == 1
    assert world.turn(want=50).ids == ids
    assert world.claim(50) == []


async def test_one_bad_job_of_a_batch(creation: Creation, world: World) -> None:
    """Of ten jobs the one whose lookup key is not ours is missing, the nine others wait once, and the key is named."""
    key = world.key("lookups", "shop:user:5")
    world.redis.set(key, "not ours")
    jobs = [creation.prepare(str(number), FIELDS, [("user", number)]) for number in range(10)]
    with pytest.raises(KeyConflict, match=f"{key}: WRONGTYPE.*not created"):
        await creation.create_many(jobs)
    others = [str(number) for number in range(10) if number != 5]
    assert world.redis.lrange(world.key("waiting", "pick"), 0, -1) == others
    assert sorted(world.snapshot()["jobs"]) == sorted([f"shop:{job_id}" for job_id in others] + ["shop:user:5"])


async def test_the_end_state(creation: Creation, world: World) -> None:
    """The job waits, without a state of its own, and can be found."""
    await creation.create(creation.prepare("1", FIELDS, [("user", 7)]))
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {"shop:1": {"user": "7", "name": '"Joe"', "_lookups": "user:7"}},
        "lookups": {"shop:user:7": ["1"]},
        "waiting": {"pick": ["1"]},
        "wake": {"pick": {"w": 0}},
    }
    assert world.lives("jobs", "shop:1", TTL)
    assert world.lives("lookups", "shop:user:7", TTL)


async def test_without_a_ttl_nothing_expires(connection: Connection, world: World) -> None:
    """`job_ttl=None` leaves the EXPIRE commands out."""
    creation = Creation(connection, replace(world.settings, ttl_ms=0))
    await creation.create(creation.prepare("1", FIELDS, [("user", 7)]))
    assert (world.life("jobs", "shop:1"), world.life("lookups", "shop:user:7")) == (-1, -1)


async def test_a_job_without_fields_has_a_hash(creation: Creation, world: World) -> None:
    """Params may be empty; a hash may not."""
    await creation.create(creation.prepare("1", {}, []))
    assert world.snapshot() == {"jobs": {"shop:1": {"_empty": "1"}}, "waiting": {"pick": ["1"]}}


async def test_sent_twice_it_is_one_job(creation: Creation, world: World) -> None:
    """The second id in the queue is dropped by the claim."""
    job = creation.prepare("1", FIELDS, [("user", 7)])
    await creation.create(job)
    await creation.create(job)
    assert world.turn(want=2).ids == ["1"]
    assert world.snapshot()["meta"] == {"pick": {"misplaced": "1"}}


async def test_sent_again_after_the_job_is_done_nothing_runs(creation: Creation, world: World) -> None:
    """The transaction writes no field that a transition writes: a job that is done stays done."""
    job = creation.prepare("1", FIELDS, [])
    await creation.create(job)
    world.claim()
    world.report(finish("1", result="", b="2"))
    done = world.job("shop:1")
    await creation.create(job)
    assert world.job("shop:1") == done
    assert world.claim() == []
    assert world.job("shop:1") == done


@pytest.mark.parametrize("many", [False, True])
async def test_an_error_within_takes_the_job_back(creation: Creation, world: World, *, many: bool) -> None:
    """A lookup key that is not ours: the error names it, and nothing of the job stays; other jobs are created."""
    key = world.key("lookups", "shop:user:7")
    world.redis.set(key, "not ours")
    bad = creation.prepare("1", FIELDS, [("team", "a"), ("user", 7)])
    good = creation.prepare("2", FIELDS, [("team", "a")])
    with pytest.raises(KeyConflict, match=f"{key}: WRONGTYPE.*not created"):
        await (creation.create_many([bad, good]) if many else creation.create(bad))
    found = world.snapshot()
    assert found["jobs"].pop("shop:user:7") == "not ours"
    assert set(found["jobs"]) == ({"shop:2"} if many else set())
    assert found.get("waiting", {}) == ({"pick": ["2"]} if many else {})
    assert found.get("lookups", {}) == ({"shop:team:a": ["2"]} if many else {})


async def test_what_is_not_ours_stays(creation: Creation, world: World) -> None:
    """Neither somebody's key at the job's place nor at the queue's is touched."""
    for key in (world.key("jobs", "shop:1"), world.key("waiting", "pick")):
        world.redis.set(key, "not ours")
        with pytest.raises(KeyConflict, match=key):
            await creation.create(creation.prepare("1", FIELDS, []))
        assert world.redis.get(key) == "not ours"
        world.redis.delete(key)
    assert world.snapshot() == {}


async def test_many_jobs_share_one_round_trip(
    creation: Creation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them wait, in their order."""
    sent: list[int] = []
    packed = Connection.packed

    async def counted(connection: Connection, data: bytes, replies: int) -> object:
        sent.append(replies)
        return await packed(connection, data, replies)

    monkeypatch.setattr(Connection, "packed", counted)
    jobs = [creation.prepare(str(number), FIELDS, [("user", 7)]) for number in range(200)]
    ids = [str(number) for number in range(200)]
    assert await creation.create_many(jobs) == ids
    assert sent == [sum(len(job.keys) for job in jobs) + 4]
    assert world.redis.lrange(world.key("waiting", "pick"), 0, -1) == ids
    assert world.redis.lrange(world.key("lookups", "shop:user:7"), 0, -1) == ids


async def test_the_next_jobs_are_taken_while_the_server_works(
    creation: Creation, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer for the first batch is held back until the second is asked for."""
    asked, answered = asyncio.Event(), Connection.packed

    async def held_back(connection: Connection, data: bytes, replies: int) -> object:
        answer = await answered(connection, data, replies)
        await asyncio.wait_for(asked.wait(), 10)
        return answer

    def jobs() -> Iterator[NewJob]:
        for number in range(3):
            if number == 1:
                asked.set()
            yield creation.prepare(str(number), {"a": b"x" * 200_000}, [])

    monkeypatch.setattr(Connection, "packed", held_back)
    assert await creation.create_many(jobs()) == ["0", "1", "2"]
    assert world.redis.lrange(world.key("waiting", "pick"), 0, -1) == ["0", "1", "2"]


def big(creation: Creation, job_id: str, user: int = 7) -> NewJob:
    """Prepare a job that fills a batch by itself."""
    return creation.prepare(job_id, {"a": b"x" * 200_000}, [("user", user)])


async def test_what_was_sent_is_waited_for_when_the_next_jobs_are_refused(creation: Creation, world: World) -> None:
    """The error comes when the jobs before it are created, and not in the middle of it."""

    def jobs() -> Iterator[NewJob]:
        yield big(creation, "0")
        raise PayloadTooLarge

    with pytest.raises(PayloadTooLarge):
        await creation.create_many(jobs())
    assert world.redis.lrange(world.key("waiting", "pick"), 0, -1) == ["0"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_batch_that_fails_is_the_last(creation: Creation, world: World) -> None:
    """The error names the key and comes from where the batch was sent; of the next batch nothing is sent."""
    world.redis.set(world.key("lookups", "shop:user:8"), "not ours")
    jobs = [big(creation, "0"), big(creation, "1", user=8), big(creation, "2")]
    with pytest.raises(KeyConflict, match="shop:user:8") as raised:
        await creation.create_many(jobs)
    assert "create" in {entry.name for entry in raised.traceback}
    assert world.redis.lrange(world.key("waiting", "pick"), 0, -1) == ["0"]


async def test_a_batch_fails_and_so_do_the_next_jobs(creation: Creation, world: World) -> None:
    """The server's error is raised, for it is that of the earlier jobs; the other one is its context."""
    world.redis.set(world.key("lookups", "shop:user:8"), "not ours")

    def jobs() -> Iterator[NewJob]:
        yield big(creation, "1", user=8)
        raise PayloadTooLarge

    with pytest.raises(KeyConflict) as raised:
        await creation.create_many(jobs())
    assert isinstance(raised.value.__context__, PayloadTooLarge)


@pytest.mark.parametrize("ticks", [1, 2, 50])
async def test_creating_many_is_cancelled(creation: Creation, monkeypatch: pytest.MonkeyPatch, ticks: int) -> None:
    """Whether it waits for the server or for its turn, it ends at once and leaves nothing behind."""

    async def never(_connection: Connection, _data: bytes, _replies: int) -> object:
        return await asyncio.Event().wait()

    monkeypatch.setattr(Connection, "packed", never)
    creating = asyncio.create_task(creation.create_many(big(creation, str(number)) for number in range(3)))
    for _ in range(ticks):
        await asyncio.sleep(0)
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(creating, 10)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_jobs_of_a_priority_wait_in_its_list(connection: Connection, world: World) -> None:
    """In the same transaction; a lower one than the queue has is one of the last."""
    settings = replace(world.settings, rules={"pick": Rules(priorities=3)})
    creation = Creation(connection, settings)
    places = {n: creation.prepare("1", {"a": b"1", **rule_fields(n, 1)}, []).waiting for n in (1, 2, 3, 8)}
    waiting = world.keys.waiting("pick")
    assert places == {1: waiting, 2: f"{waiting}:2", 3: f"{waiting}:3", 8: f"{waiting}:3"}


async def test_many_priorities_are_one_transaction(connection: Connection, world: World) -> None:
    """Each list gets its ids in their order, and of a list that is none the jobs are withdrawn, and no others."""
    creation = Creation(connection, replace(world.settings, rules={"pick": Rules(priorities=3)}))
    waiting = world.keys.waiting("pick")
    world.redis.set(f"{waiting}:2", "not ours")
    jobs = [creation.prepare(str(n), {"a": b"1", **rule_fields(n % 3 + 1, 1)}, []) for n in range(6)]
    with pytest.raises(KeyConflict, match="waiting:2"):
        await creation.create(*jobs)
    assert [world.redis.lrange(place, 0, -1) for place in (waiting, f"{waiting}:3")] == [["0", "3"], ["2", "5"]]
    assert [world.redis.exists(world.key("jobs", f"shop:{n}")) for n in range(6)] == [1, 0, 1, 1, 0, 1]


async def test_a_full_server_takes_no_job() -> None:
    """The error says what to do, and nothing is half written."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        world, connection = World(redis, ""), Connection(url, "test")
        try:
            creation = Creation(connection, world.settings)
            await connection.open()
            redis.config_set("maxmemory", "1")
            jobs = [creation.prepare(job_id, FIELDS, [("user", 7)]) for job_id in "12"]
            with pytest.raises(StoreFull, match="out of memory"):
                await creation.create(jobs[0])
            with pytest.raises(StoreFull, match="out of memory"):
                await creation.create_many(jobs)
            assert world.snapshot(unseen=frozenset()) == {}
        finally:
            await connection.close()


def test_the_payload_is_limited(creation: Creation, world: World) -> None:
    """Bytes of values count, up to the limit and no further; the error says the numbers."""
    limit = world.settings.max_payload
    creation.prepare("1", {"a": b"x" * limit}, [])
    with pytest.raises(PayloadTooLarge, match="1,048,577 bytes, over max_payload=1,048,576"):
        creation.prepare("1", {"a": b"x" * limit, "b": b"y"}, [])


def test_the_lookup_lists_are_limited(creation: Creation) -> None:
    """A job that would stand in thousands of lists would make one transaction of thousands of commands."""
    creation.prepare("1", {}, [("tags", list(range(MOST_LOOKUPS)))])
    with pytest.raises(PayloadTooLarge, match="257 lookup lists"):
        creation.prepare("1", {}, [("tags", list(range(MOST_LOOKUPS + 1)))])


async def test_values_that_are_not_plain_stand_as_their_digest(creation: Creation, world: World) -> None:
    """No value can break the lines of `_lookups`, or make a key that is another's."""
    await creation.create(creation.prepare("1", {"a": b"1"}, [("name", "a\nname:b"), ("name2", ""), ("flag", True)]))
    lists = sorted(world.snapshot()["lookups"])
    assert [name.partition("#sha256:")[0] for name in lists] == ["shop:name2:", "shop:name:"]
    world.claim()
    world.report(finish("1"))
    world.run("delete", id="1")
    assert world.snapshot() == {}


def test_batches_are_cut_by_size(creation: Creation) -> None:
    """Each is worth one round trip; none is empty and none is lost."""
    jobs = [creation.prepare(str(number), {"a": b"x" * 100_000}, []) for number in range(7)]
    batches = [[job.id for job in batch] for batch in in_batches(jobs)]
    assert batches == [["0", "1"], ["2", "3"], ["4", "5"], ["6"]]
    assert list(in_batches([])) == []


def test_the_smallest_jobs_are_cut_into_few_arguments_too(creation: Creation) -> None:
    """Their ids are the arguments of one command, of which some hosts take 3,999."""
    smallest = Creation(creation._connection, replace(creation._settings, flow="f", keys=JobKeys(""), ttl_ms=0))
    jobs = [smallest.prepare(new_job_id(), {}, []) for _ in range(5000)]
    assert max(map(len, in_batches(jobs))) <= MOST_ARGUMENTS
