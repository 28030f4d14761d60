"""Scheduled reports: each ending stands in one of them, whatever happens between their times."""

from __future__ import annotations

import asyncio
import csv
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import DeclarationError, Fail, ValidationError
from flows.service import Context, Service, ServiceOptions
from flows.service.reports.columns import Errors
from flows.service.reports.report import Report
from flows.service.transports.directory import Directory
from flows.service.transports.mail import Mail
from flows.service.transports.smtp import Smtp
from flows.testing import isolated
from tests.scale import scaled
from tests.service.mail_server import mail_server
from tests.waiting import LONG, until

HOUR = timedelta(hours=1)
COLUMNS: dict[str, Any] = {
    "Job": "/id",
    "Order": "/payload/order",
    "Result": "/result",
    "Status": Errors({"unknown-order": "Order is unknown"}),
}


def shop(*reports: Report, **options: Any) -> Any:
    """Return a service that has these reports, and whose jobs end as their payload says."""
    service = Service("mailer", options=ServiceOptions(tenants="any", **options))

    @service.on("email", timeout=10)
    async def email(what: dict[str, str], _job: Context[None]) -> str:
        if what["order"].startswith("no"):
            raise Fail("no such order", type="unknown-order")
        return f"sent {what['order']}"

    @service.on("other", timeout=10)
    async def other(_what: str, _job: Context[None]) -> None: ...

    for report in reports:
        service.add_report(report)
    return service


def hourly(to: Any, cron: str = "0 * * * *", **options: Any) -> Report:
    """Return a report of each hour."""
    return Report("hourly", cron=cron, to=to, **{"columns": COLUMNS, "types": {"email"}, **options})


async def ended(service: Any, *orders: str) -> list[str]:
    """Create jobs, and return their ids when they have ended."""
    ids = [await service.create("email", {"order": order}, tenant="acme") for order in orders]
    for one in ids:
        await service.wait_for(one, LONG)
    return ids


async def has_one_turn(service: Any) -> bool:
    """Return whether one turn waits for its time, and nothing else of the report is under way."""
    state = await service._host.flow.queue("mailer.reports:hourly").state()
    return bool((state.delayed, state.waiting, state.processing) == (1, 0, 0))


def rows_of(directory: Path) -> list[dict[str, str]]:
    """Return the rows of all reports in a directory, in the order of their windows."""
    found: list[dict[str, str]] = []
    for file in sorted(directory.rglob("*.csv")):
        with file.open(newline="", encoding="utf-8") as text:
            found += csv.DictReader(text)
    return found


async def test_each_ending_stands_in_one_report(tmp_path: Path) -> None:
    """Over several hours, in which jobs end, also in hours in which nobody works: no row twice, and none missing."""
    service = shop(hourly(Directory(tmp_path), send_empty=True))  # so that each window has its file
    async with isolated(service) as test, service:
        first = await ended(service, "1", "no-2")
        await service.create("other", "not told")
        await test.travel(HOUR)
        await until(lambda: len(rows_of(tmp_path)) == 2)
        assert [(row["Order"], row["Result"], row["Status"]) for row in rows_of(tmp_path)] == [
            ("1", "sent 1", "Success"),
            ("no-2", "", "Order is unknown"),
        ]
        second = await ended(service, "3")
        await test.travel(5 * HOUR)  # of which one report is made
        await until(lambda: len(rows_of(tmp_path)) == 3)
        third = await ended(service, "4", "5")
        await test.travel(HOUR)
        await until(lambda: len(rows_of(tmp_path)) == 5)
        names = await asyncio.to_thread(lambda: sorted(file.name for file in tmp_path.glob("*.csv")))
    assert [row["Job"] for row in rows_of(tmp_path)] == first + second + third
    windows = [name.removesuffix(".csv").removeprefix("hourly-") for name in names]
    assert [window[: len(window) // 2] for window in windows[1:]] == [
        window[len(window) // 2 + 1 :] for window in windows[:-1]
    ]


async def test_any_number_of_processes(tmp_path: Path) -> None:
    """Each declares the report and starts its turns: there is one turn, and one report."""
    services = [shop(hourly(Directory(tmp_path / str(number)))) for number in range(3)]
    async with isolated(*services) as test:
        for one in services:
            await one.start()
        await ended(services[0], "1")
        await until(lambda: has_one_turn(services[0]))
        await test.travel(HOUR)
        await until(lambda: sum(len(rows_of(tmp_path / str(number))) for number in range(3)) == 1)
        await test.travel(HOUR)
        await ended(services[1], "2")
        await test.travel(HOUR)
        await until(lambda: sum(len(rows_of(tmp_path / str(number))) for number in range(3)) == 2)


@pytest.mark.scale
async def test_many_windows(tmp_path: Path) -> None:
    """Times at which nobody works, processes that come and go: each ending has one row, in the order of the windows."""
    draw, told = random.Random(7), list[str]()  # noqa: S311 - the same each time
    services = [shop(hourly(Directory(tmp_path / str(number)))) for number in range(2)]
    async with isolated(*services) as test:
        for step in range(scaled(3, full=300)):
            serving = services[step % 2] if draw.random() < 0.5 else services[0]
            await serving.start()
            told += await ended(serving, *(f"{step}-{n}" for n in range(draw.randrange(4))))
            if draw.random() < 0.5:
                await serving.stop()  # nobody works while the time passes, or another one does
            await test.travel(timedelta(minutes=draw.choice([1, 59, 61, 180])))
        await services[0].start()
        await test.travel(HOUR)
        await until(lambda: len(rows_of(tmp_path)) >= len(told), 60)
        await until(lambda: has_one_turn(services[0]))
    assert sorted(row["Job"] for row in rows_of(tmp_path)) == sorted(told)


async def test_a_report_by_mail_is_tried_again() -> None:
    """Under one Message-ID, with its file; an hour in which nothing ended sends nothing."""
    async with mail_server(["451 come back", "250 taken"]) as server:
        to = Mail(to=["ops@example.org"], sender="no@example.org", smtp=Smtp("127.0.0.1", server.port, security="none"))
        service = shop(hourly(to, timezone="America/New_York"))
        async with isolated(service) as test, service:
            await test.travel(HOUR)
            await ended(service, "1")
            await test.travel(HOUR)
            await until(lambda: len(server.messages) == 1)
            await test.travel(timedelta(minutes=1))
            await until(lambda: len(server.messages) == 2)
    assert server.ids[0] == server.ids[1]
    (attached,) = server.messages[1].iter_attachments()
    assert "sent 1" in attached.get_content()
    assert "[mailer] hourly, 1 jobs until" in str(server.messages[1]["Subject"])


async def test_a_report_of_any_window_by_hand(tmp_path: Path) -> None:
    """Of jobs that its conditions let through; a job that is gone stands there with what the log has."""
    report = hourly(
        Directory(tmp_path),
        cron="0 0 1 1 *",
        outcomes={"done"},
        tenants={"acme"},
        filter=lambda job: job.is_gone or job.payload != {"order": "2"},
        columns={**COLUMNS, "Tenant": "/tenant", "Ended": "/ended"},
    )
    service = shop(report)
    async with isolated(service) as test, service:
        before = test.now() - timedelta(seconds=5)
        ids = await ended(service, "1", "2", "no", "3")
        await service.delete_job(ids[3])
        await service.run_report("hourly", since=before, until=test.now() + timedelta(seconds=5))
        await until(lambda: len(rows_of(tmp_path)) == 2)
        told, gone = rows_of(tmp_path)
        assert (told["Job"], told["Order"], told["Tenant"]) == (ids[0], "1", "acme")
        assert (gone["Job"], gone["Order"], gone["Result"], gone["Status"]) == (ids[3], "", "", "Success")
        assert gone["Ended"] >= told["Ended"]
        with pytest.raises(ValidationError, match="no report 'daily'; it has hourly"):
            await service.run_report("daily", since=before, until=test.now())
        with pytest.raises(ValidationError, match="is not before"):
            await service.run_report("hourly", since=test.now(), until=before)
        with pytest.raises(ValidationError, match="since"):
            await service.run_report("hourly", since=before.replace(tzinfo=None), until=test.now())


async def test_a_turn_that_is_tried_again_makes_one_report(tmp_path: Path) -> None:
    """A process that is killed in the midst of a turn: the next one creates nothing twice, and ends the same window."""
    service = shop(hourly(Directory(tmp_path)), lease=1)
    async with isolated(service) as test, service:
        await ended(service, "1")
        with test.fault("after-user-code", "lose", times=1):
            await test.travel(HOUR)
            await until(lambda: len(rows_of(tmp_path)) == 1)
        await test.travel(timedelta(minutes=2))
        await ended(service, "2")
        await test.travel(HOUR)
        await until(lambda: len(rows_of(tmp_path)) == 2)
        await until(lambda: has_one_turn(service))


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    """When it is declared."""
    to = Directory(tmp_path)
    for options, why in (
        ({"cron": "* * *"}, "has 3 fields"),
        ({"timezone": "Mars/Base"}, "is not known here"),
        ({"columns": {}}, "at least one"),
        ({"columns": {"Id": "id"}}, "is no JSON pointer"),
        ({"to": "ops@example.org"}, "give a Mail, a Webhook or a Directory"),
        ({"types": set()}, "tells of no job"),
        ({"outcomes": {"ok"}}, "outcomes has 'ok'"),
        ({"filter": "x"}, "give a function"),
        ({"missed": "skip"}, "give 'last' or 'all'"),
        ({"send_empty": 1}, "give True or False"),
        ({"name": "a b"}, "child queue name 'a b'"),
    ):
        with pytest.raises(DeclarationError, match=why):
            Report(**{"name": "daily", "cron": "0 8 * * *", "columns": {"Id": "/id"}, "to": to, **options})  # type: ignore[arg-type]
    service = shop(hourly(to))
    with pytest.raises(DeclarationError, match="'hourly' twice"):
        service.add_report(hourly(to))
    with pytest.raises(DeclarationError, match="give a Report"):
        service.add_report("daily")
    with pytest.raises(DeclarationError, match="do not set endings=None"):
        shop(hourly(to), endings=None)
