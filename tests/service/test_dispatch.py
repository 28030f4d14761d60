"""A service calls for each job the function of its type, and ends it as that type says."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
from redis import Redis

from flows import DeclarationError, Fail, FieldMissing, JobNotDone, Retries, Snooze, ValidationError, current_job
from flows.service import Context
from tests.service.parts import Email, Sent, make_service, within
from tests.waiting import LONG


@dataclass
class Refund:
    """A payload that is no model."""

    cents: int


async def test_each_type_has_its_function_payload_and_result(redis_url: str, namespace: str) -> None:
    """Models, dataclasses and scalars go in and come back typed, from coroutines and from threads."""
    service = make_service(redis_url, namespace, tenants="any")
    threads: list[threading.Thread] = []

    @service.on("email", timeout=10)
    async def email(mail: Email, job: Context[None]) -> Sent:
        assert (job.type, job.tenant, job.attempt, job.client) == ("email", "acme", 1, None)
        assert job.job_id == current_job().id
        assert job.deadline is not None
        return Sent(message_id=f"<{mail.order}@{job.correlation_id}>")

    @service.on("refund", timeout=10)
    def refund(refund: Refund, _job: Context[None]) -> int:
        threads.append(threading.current_thread())
        return refund.cents

    @service.on("note", timeout=10)
    async def note(text: str, job: Context[None]) -> None:
        job.progress(0.5, text)

    async with service:
        mailed = await email.create(Email(to="a@b", order="7"), tenant="acme", correlation_id="c")
        refunds = await refund.create_many([Refund(1), Refund(2)])
        noted = await note.create("hello")
        record = await email.wait_for(mailed, LONG)
        assert record.payload == Email(to="a@b", order="7")
        assert record.result == Sent(message_id="<7@c>")
        assert (record.type, record.tenant, record.links, record.status) == ("email", "acme", [], "done")
        assert [(await refund.wait_for(one, LONG)).result for one in refunds] == [1, 2]
        assert (await note.wait_for(noted, LONG)).result is None
        assert (await note.wait_for(noted, LONG)).progress == (0.5, "hello")
    assert threading.main_thread() not in threads
    assert len(threads) == 2


async def test_a_producer_needs_no_handler(redis_url: str, namespace: str, redis: Redis) -> None:
    """Jobs are created by the name of their type; the worker validates them, and what does not fit fails at once."""
    producer, service = make_service(redis_url, namespace), make_service(redis_url, namespace)

    @service.on("email", timeout=10, retries=Retries(max_attempts=3))
    async def email(mail: Email, _job: Context[None]) -> Sent:
        return Sent(message_id=mail.order)

    good = await producer.create("email", {"to": "a@b", "order": "7"})
    model = await producer.create("email", Email(to="a@b", order="8"))
    bad = await producer.create("email", {"order": 7})
    async with service:
        done = await producer.wait_for(good, LONG)
        assert (done.payload, done.result) == ({"to": "a@b", "order": "7"}, {"message_id": "7"})
        assert (await email.wait_for(model, LONG)).result == Sent(message_id="8")
        failed = await producer.wait_for(bad, LONG)
        assert (failed.status, failed.error.type, failed.attempts) == ("failed", "MalformedJob", 1)
        assert "to" in failed.error.message
        typed = await service.get_job(good)
        assert typed.payload == Email(to="a@b", order="7")
        with pytest.raises(FieldMissing):
            _ = failed.result
    await producer.stop()
    assert redis.hget(f"{namespace}job:mailer:{good}", "type") == '"email"'


async def test_functions_fail_retry_and_snooze_by_their_type(redis_url: str, namespace: str) -> None:
    """Each type has its own retries; verdicts mean what they mean in any flow."""
    service = make_service(redis_url, namespace)
    tried: list[str] = []

    @service.on("flaky", timeout=10, retries=Retries(max_attempts=2, backoff=0.01))
    async def flaky(name: str, job: Context[None]) -> str:
        tried.append(f"flaky {job.attempt}")
        if job.attempt == 1:
            raise ConnectionError(name)
        return name

    @service.on("once", timeout=10)
    async def once(name: str, _job: Context[None]) -> str:
        tried.append("once")
        raise ConnectionError(name)

    @service.on("verdict", timeout=10, retries=Retries(max_attempts=5))
    async def verdict(name: str, _job: Context[None]) -> str | Snooze:
        tried.append("verdict")
        if tried.count("verdict") == 1:
            return Snooze(after=0.01)
        raise Fail(f"no {name}", type="unknown-name")

    async with service:
        ids = [await service.create(kind, "x") for kind in ("flaky", "once", "verdict")]
        ends = [await service.wait_for(one, LONG) for one in ids]
    assert [end.status for end in ends] == ["done", "failed", "failed"]
    assert [end.error and end.error.type for end in ends] == [None, "ConnectionError", "unknown-name"]
    assert sorted(tried) == ["flaky 1", "flaky 2", "once", "verdict", "verdict"]


async def test_each_type_has_its_timeout(redis_url: str, namespace: str) -> None:
    """An attempt over its type's timeout ends as `Timeout`, while one of a type with a longer one runs on."""
    service = make_service(redis_url, namespace)
    release = asyncio.Event()

    @service.on("slow", timeout=3600)
    async def slow(name: str, _job: Context[None]) -> str:
        await release.wait()
        return name

    @service.on("quick", timeout=0.1)
    async def quick(name: str, _job: Context[None]) -> str:
        await release.wait()
        return name

    async with service:
        long, short = await slow.create("a"), await quick.create("b")
        ended = await quick.wait_for(short, LONG)
        assert (ended.status, ended.error and ended.error.type) == ("failed", "Timeout")
        assert "0.1 s" in ended.error.message
        with pytest.raises(JobNotDone):
            _ = (await service.get_job(long)).result
        release.set()
        assert (await slow.wait_for(long, LONG)).result == "a"


async def test_a_thread_over_its_timeout_is_left_behind(redis_url: str, namespace: str) -> None:
    """The job of a plain function that sleeps on is failed all the same, and its result does not count."""
    service, release = make_service(redis_url, namespace), threading.Event()

    @service.on("deaf", timeout=0.1)
    def deaf(name: str, _job: Context[None]) -> str:
        release.wait(LONG)
        return name

    try:
        async with service:
            ended = await deaf.wait_for(await deaf.create("a"), LONG)
            assert (ended.status, ended.error.type) == ("failed", "Timeout")
            release.set()
    finally:
        release.set()


async def test_an_unknown_type_waits_a_grace_and_fails(redis_url: str, namespace: str) -> None:
    """A job of another type is handed back for those that know it, and fails as `UnknownType` when nobody came."""
    service = make_service(redis_url, namespace, unknown_type_grace=0)
    patient = make_service(redis_url, namespace, "patient", unknown_type_grace=3600)

    @service.on("known", timeout=10)
    async def known(name: str, _job: Context[None]) -> str:
        return name

    @patient.on("known", timeout=10)
    async def also(name: str, _job: Context[None]) -> str:
        return name

    async with service, patient:
        failed = await service.wait_for(await service.create("other", 1), LONG)
        assert (failed.status, failed.error.type) == ("failed", "UnknownType")
        assert "'other'" in failed.error.message
        misfit = asyncio.ensure_future(patient.events.wait_for("job.misfit"))
        await asyncio.sleep(0)
        handed = await patient.create("late", "x")
        await within(misfit)

        @patient.on("late", timeout=10)
        async def late(name: str, _job: Context[None]) -> str:
            return name.upper()

        done = await late.wait_for(handed, LONG)
        assert (done.result, done.attempts) == ("X", 1)
        assert done.history[0].reason.startswith("no handler of its type")


async def test_a_type_that_is_taken_away_is_unknown(redis_url: str, namespace: str) -> None:
    """`off` lets a job that runs go on, and later ones of the type are unknown here."""
    service = make_service(redis_url, namespace, unknown_type_grace=0)
    began, release = asyncio.Event(), asyncio.Event()

    @service.on("note", timeout=10)
    async def note(name: str, _job: Context[None]) -> str:
        began.set()
        await release.wait()
        return name

    async with service:
        running = await note.create("a")
        await within(began.wait())
        service.off("note")
        release.set()
        assert (await note.wait_for(running, LONG)).result == "a"
        assert (await service.wait_for(await service.create("note", "b"), LONG)).error.type == "UnknownType"
    with pytest.raises(DeclarationError, match="has no type 'note'"):
        service.off("note")


async def test_jobs_are_found_by_what_they_are_linked_to(redis_url: str, namespace: str) -> None:
    """Links given at creation find a job, newest first; each is checked before anything is written."""
    service = make_service(redis_url, namespace)

    @service.on("note", timeout=10)
    async def note(name: str, _job: Context[None]) -> str:
        return name

    first = await note.create("a", links=["orders/7"])
    second = await note.create("b", links=["orders/7", "orders/8", "orders/8"])
    assert [one.id for one in await service.jobs_of("orders/7")] == [second, first]
    assert [one.id for one in await service.jobs_of("orders/7", limit=1)] == [second]
    [linked] = await service.jobs_of("orders/8")
    assert (linked.payload, linked.links) == ("b", ["orders/7", "orders/8"])
    assert await service.jobs_of("orders/9") == []
    for links in ("orders/7", [""], ["x" * 201], ["a\nb"], [str(number) for number in range(65)]):
        with pytest.raises(ValidationError):
            await note.create("c", links=links)
    assert await service.delete_job(second)
    assert [one.id for one in await service.jobs_of("orders/7")] == [first]
    await service.stop()


async def test_a_function_links_its_job_to_what_it_is_about(redis_url: str, namespace: str) -> None:
    """The script that ends the job files it there, however it ends; an attempt that is made again links nothing."""
    service = make_service(redis_url, namespace)

    @service.on("note", timeout=10, retries=Retries(max_attempts=2, backoff=0.01))
    async def note(name: str, job: Context[None]) -> str:
        if job.attempt == 1:
            job.link("orders/first")
            raise ConnectionError
        for link in ("orders/1", f"orders/{name}", "#7", "orders/1"):
            job.link(link)
        with pytest.raises(ValidationError):
            job.link("")
        if name == "fails":
            raise Fail("no")
        return name

    @service.on("many", timeout=10)
    async def many(_name: str, job: Context[None]) -> str:
        for number in range(64):
            job.link(f"orders/{number}")
        with pytest.raises(ValidationError, match="64 at most"):
            job.link("orders/64")
        return "64"

    @service.on("slow", timeout=0.1)
    async def slow(_name: str, job: Context[None]) -> str:
        job.link("orders/slow")
        await asyncio.sleep(LONG)
        return "never"

    async with service:
        done, fails = await note.create("done", links=["orders/0"]), await note.create("fails")
        full, late = await many.create(""), await slow.create("")
        record = await note.wait_for(done, LONG)
        assert record.links == ["orders/0", "orders/1", "orders/done"]
        for job_id in (fails, full, late):
            await service.wait_for(job_id, LONG)
        found = {
            link: [one.id for one in await service.jobs_of(link)]
            for link in ("orders/0", "orders/1", "orders/done", "orders/fails", "orders/slow", "orders/first", "#7")
        }
    assert found.pop("orders/first") == []
    assert sorted(found.pop("orders/1")) == sorted([done, fails, full])
    assert sorted(found.pop("orders/0")) == sorted([done, full])
    assert sorted(found.pop("#7")) == sorted([done, fails])
    assert found == {"orders/done": [done], "orders/fails": [fails], "orders/slow": [late]}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda service: service.create("no type", 1), "job type 'no type'"),
        (lambda service: service.create("note", 1), "the payload of job type 'note' is no str"),
        (lambda service: service.create("note", "a", tenant="a b"), "tenant 'a b'"),
        (lambda service: service.create("note", "a", dealy=1), "did you mean delay="),
        (lambda service: service.create("other", object()), "other"),
        (lambda service: service.create("other", float("nan")), "other"),
        (lambda service: service.create("other", "x" * 200), "over max_payload=100"),
    ],
)
async def test_what_cannot_be_a_job_is_refused(
    redis_url: str, namespace: str, redis: Redis, call: Any, says: str
) -> None:
    """Bad types, payloads, tenants and options are typed errors, and nothing is written."""
    service = make_service(redis_url, namespace, max_payload=100)

    @service.on("note", timeout=10)
    async def note(name: str, _job: Context[None]) -> str:
        return name

    with pytest.raises(ValidationError, match=says):
        await call(service)
    await service.stop()
    assert [*redis.scan_iter(f"{namespace}job:*")] == []


def takes_nothing() -> None:
    """Be no handler."""


async def says_nothing(payload, job):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Say nothing of types."""


async def yields(payload: str, _job: Context[None]) -> Any:
    """Be a generator."""
    yield payload


async def fine(payload: str, _job: Context[None]) -> str:
    """Be a handler."""
    return payload


@pytest.mark.parametrize(
    ("name", "options", "function", "says"),
    [
        ("a b", {"timeout": 1}, fine, "a b"),
        ("note", {"timeout": 0}, fine, "not positive"),
        ("note", {"timeout": "1"}, fine, "seconds as a number"),
        ("note", {"timeout": 1, "retries": 3}, fine, "flows.Retries"),
        ("note", {"timeout": 1}, takes_nothing, r"make it \(payload, job\)"),
        ("note", {"timeout": 1}, says_nothing, "annotate its first parameter"),
        ("note", {"timeout": 1}, yields, "generator"),
        ("note", {"timeout": 1}, 7, "is no function"),
        ("taken", {"timeout": 1}, fine, "twice"),
    ],
)
def test_what_cannot_be_a_handler_is_refused(namespace: str, name: str, options: Any, function: Any, says: str) -> None:
    """Each mistake in a declaration is a DeclarationError that says what to write, and the type is not there."""
    service = make_service("redis://localhost:1", namespace)
    service.on("taken", timeout=1)(fine)
    with pytest.raises(DeclarationError, match=says):
        service.on(name, **options)(function)
    assert repr(service) == "<Service mailer: taken>"


async def test_ten_jobs_run_at_once_whatever_their_types(redis_url: str, namespace: str) -> None:
    """`concurrency` counts the jobs of all types of this process together."""
    service = make_service(redis_url, namespace, concurrency=2)
    running, most = 0, 0
    full = asyncio.Event()

    async def run(_name: str, _job: Context[None]) -> float:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            full.set()
        await within(full.wait())
        running -= 1
        return time.time()

    one, two = service.on("one", timeout=60)(run), service.on("two", timeout=60)(run)
    async with service:
        ids = [await kind.create("a") for kind in (one, two, one, two, one)]
        for job_id in ids:
            await service.wait_for(job_id, LONG)
    assert most == 2
