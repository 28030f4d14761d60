"""Reporters of a service: each ending is told once, by a job, however the receiver answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from flows import Cancel, DeclarationError, Fail, Retry
from flows.model.state import TERMINAL
from flows.service import Context
from flows.service.telling.report_record import ReportRecord
from flows.service.transports.ending import Ending
from flows.service.transports.json_lines import JsonLines
from flows.service.transports.mail import Mail
from flows.service.transports.signature import verify_webhook
from flows.service.transports.slack import Slack
from flows.service.transports.smtp import Smtp
from flows.service.transports.webhook import Webhook
from tests.service.mail_server import mail_server
from tests.service.parts import make_service
from tests.service.receivers import HERE, raw, silence, status, web_server
from tests.waiting import LONG, until

SECRET = "whsec_" + "QUJD" * 11


def shop(redis_url: str, namespace: str) -> Any:
    """Return a service with one type of jobs, which end as their payload says."""
    service = make_service(redis_url, namespace, tenants="any")

    @service.on("order", timeout=10)
    async def order(how: str, _job: Context[None]) -> str:
        if how == "fail":
            raise Fail("no such order", type="unknown-order")
        if how == "cancel":
            raise Cancel("not wanted")
        return how.upper()

    @service.on("other", timeout=10)
    async def other(_how: str, _job: Context[None]) -> None:
        raise Fail("always")

    return service


async def test_an_own_function_is_told_of_each_ending(redis_url: str, namespace: str) -> None:
    """How it ended, why, and of what; of the outcomes that it wants."""
    service, told = shop(redis_url, namespace), asyncio.Queue[Ending]()

    @service.reporter("audit", on={"done", "failed", "cancelled"})
    async def audit(ending: Ending) -> None:
        told.put_nowait(ending)

    async with service:
        options: Any = {"tenant": "acme", "links": ["orders/7"]}
        ids = [await service.create("order", how, **options) for how in ("ok", "fail", "cancel")]
        async with asyncio.timeout(LONG):
            endings = {ending.job_id: ending for ending in [await told.get() for _ in ids]}
    done, failed, cancelled = (endings[one] for one in ids)
    assert (done.outcome, done.type, done.tenant, done.payload, done.result) == ("done", "order", "acme", "ok", "OK")
    assert (done.links, done.service, done.again) == (("orders/7",), service.name, False)
    assert (failed.outcome, failed.error_type, failed.message) == ("failed", "unknown-order", "no such order")
    assert (cancelled.outcome, cancelled.error_type, cancelled.message) == ("cancelled", None, "not wanted")
    assert len({ending.report_id for ending in endings.values()}) == 3


async def test_a_webhook_is_tried_until_it_is_taken(redis_url: str, namespace: str) -> None:
    """Under one id, signed; a receiver that says no for good is not asked again, and the report has failed."""
    service = shop(redis_url, namespace)
    async with web_server(status(503, Retry_After="0"), status(200)) as server, web_server(status(410)) as gone:
        service.add_reporter(Webhook("orders", url=server.url, secret=SECRET, include={"payload"}, **HERE))
        service.add_reporter(Webhook("gone", url=gone.url, secret=SECRET, **HERE))
        async with service:
            one = await service.create("order", "fail")
            sent, failed = await ended_reports(service, one, 2)
    first, second = server.requests
    assert first.body == second.body
    assert verify_webhook(first.headers, first.body, SECRET) == second.headers["webhook-id"]
    assert json.loads(first.body)["data"]["payload"] == "fail"
    assert (sent.reporter, sent.status, sent.attempts, sent.error) == ("orders", "done", 2, None)
    assert sent.id == failed.id == first.headers["webhook-id"]
    assert (failed.reporter, failed.status, failed.attempts, failed.error.type) == ("gone", "failed", 1, "NotSent")
    assert "answered 410" in failed.error.message
    assert len(gone.requests) == 1


async def test_types_and_outcomes_choose_who_is_told(redis_url: str, namespace: str, tmp_path: Path) -> None:
    """A reporter of one type hears of no other; each reporter has its own report of the same ending."""
    service, told = shop(redis_url, namespace), asyncio.Queue[Ending]()
    service.add_reporter(JsonLines("file", directory=tmp_path, on={"done"}, types={"order"}))

    @service.reporter("last", types={"other"})
    async def last(ending: Ending) -> None:
        told.put_nowait(ending)

    async with service:
        orders = [await service.create("order", how) for how in ("a", "fail", "b")]
        await service.create("other", "x")
        async with asyncio.timeout(LONG):
            assert (await told.get()).type == "other"
        for one in (orders[0], orders[2]):
            await ended_reports(service, one, 1)
        assert await service.reports(orders[1]) == []
    lines = lines_of(tmp_path)
    assert len(lines) == 2
    assert {(line["type"], line["outcome"]) for line in lines} == {("order", "done")}
    assert told.empty()


async def test_one_message_for_many(redis_url: str, namespace: str) -> None:
    """A batch of endings is one message to a channel, and one mail."""
    service = shop(redis_url, namespace)
    async with web_server() as server, mail_server() as mails:
        service.add_reporter(Slack("alarm", url=server.url, batch=3, linger=30, **HERE))
        smtp = Smtp("127.0.0.1", mails.port, security="none")
        service.add_reporter(
            Mail("ops", to=["ops@example.org"], sender="no@example.org", smtp=smtp, batch=3, linger=30)
        )
        ids = [await service.create("order", "fail") for _ in range(3)]
        async with service:
            for one in ids:
                assert {report.status for report in await ended_reports(service, one, 2)} == {"done"}
    assert len(server.requests) == len(mails.messages) == 1
    text = json.loads(server.requests[0].body)["text"]
    assert text.startswith("*3 failed*")
    assert all(one in text for one in ids)
    assert mails.messages[0]["Subject"] == f"[{service.name}] 3 failed"


async def test_a_job_that_ends_again_is_told_again(redis_url: str, namespace: str) -> None:
    """By another report: a retried job has another ending. A report that is tried again is the same one."""
    service, told = shop(redis_url, namespace), asyncio.Queue[Ending]()

    @service.reporter("audit")
    async def audit(ending: Ending) -> None:
        told.put_nowait(ending)
        if not ending.again:
            raise Retry("not yet", after=0)

    async with service, asyncio.timeout(LONG):
        one = await service.create("order", "fail")
        first = [await told.get(), await told.get()]
        await service.retry_job(one)
        second = [await told.get(), await told.get()]
    assert [ending.again for ending in first + second] == [False, True, False, True]
    assert first[0].report_id == first[1].report_id != second[0].report_id == second[1].report_id
    assert {ending.job_id for ending in first + second} == {one}


async def test_what_may_have_arrived_is_not_sent_again(redis_url: str, namespace: str) -> None:
    """With `at_most_once`: a cut connection ends it as `Unknown`; an answer that says later does not."""
    once: Any = {"secret": SECRET, "delivery": "at_most_once", **HERE}
    service = shop(redis_url, namespace)
    async with web_server(raw(b"", reset=True)) as cut, web_server(status(503, Retry_After="0"), status(200)) as later:
        service.add_reporter(Webhook("cut", url=cut.url, **once))
        service.add_reporter(Webhook("later", url=later.url, **once))
        async with service:
            reports = await ended_reports(service, await service.create("order", "fail"), 2)
    lost, sent = reports
    assert (lost.reporter, lost.status, lost.attempts, lost.error.type) == ("cut", "failed", 1, "Unknown")
    assert (sent.reporter, sent.status, sent.attempts) == ("later", "done", 2)
    assert len(cut.requests) == 1


async def test_a_worker_that_ends_while_it_tells(redis_url: str, namespace: str) -> None:
    """Nobody knows whether the report has arrived: `at_most_once` fails it, `at_least_once` sends it under its id."""
    service, heard = shop(redis_url, namespace), (asyncio.Event(), asyncio.Event())
    async with web_server(silence(heard[0]), status(200)) as first, web_server(silence(heard[1]), status(200)) as other:
        service.add_reporter(Webhook("once", url=first.url, secret=SECRET, delivery="at_most_once", **HERE))
        service.add_reporter(Webhook("again", url=other.url, secret=SECRET, **HERE))
        await service.start()
        one = await service.create("order", "fail")
        async with asyncio.timeout(LONG):
            await asyncio.gather(*(event.wait() for event in heard))
        await service.stop(0)
        async with service:
            lost, sent = await ended_reports(service, one, 2)
    assert (lost.reporter, lost.status, lost.error.type) == ("once", "failed", "Unknown")
    assert (sent.reporter, sent.status) == ("again", "done")
    assert (len(first.requests), len(other.requests)) == (1, 2)
    assert len({request.headers["webhook-id"] for request in other.requests}) == 1


async def test_what_cannot_be_meant_is_refused(redis_url: str, namespace: str) -> None:
    """When it is declared, and before anything of it is there."""
    service = shop(redis_url, namespace)
    good = Webhook("orders", url="https://x.example/", secret=SECRET)
    service.add_reporter(good)
    for wrong, why in (
        (good, "'orders' twice"),
        (Webhook(url="https://x.example/", secret=SECRET), "give the Webhook a name"),
        ("orders", "give a Webhook, Slack, Mail or JsonLines"),
    ):
        with pytest.raises(DeclarationError, match=why):
            service.add_reporter(wrong)
    with pytest.raises(DeclarationError, match="give an async def"):
        service.reporter("plain")(print)
    with pytest.raises(DeclarationError, match="on has 'finished'"):
        service.reporter("plain", on={"finished"})
    async with service:
        with pytest.raises(DeclarationError, match="is in use"):
            service.add_reporter(Slack("late", url="https://x.example/"))


def lines_of(directory: Path) -> list[Any]:
    """Return the lines of all files in a directory."""
    return [json.loads(line) for file in directory.iterdir() for line in file.read_text(encoding="utf-8").splitlines()]


async def ended_reports(service: Any, job_id: str, count: int) -> list[ReportRecord]:
    """Return the reports of a job when so many of them have ended."""
    reports: list[ReportRecord] = []

    async def are_over() -> bool:
        reports[:] = await service.reports(job_id)
        return [report.status in TERMINAL for report in reports] == [True] * count

    await until(are_over)
    return reports
