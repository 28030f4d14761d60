"""The mailer as its user runs it: real processes, a worker that is killed, real receivers, a private server."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flows.store.embedded import EmbeddedServer
from mailer import mail
from mailer_secrets import count_seen
from mailer_terms import SAMPLE, BadOrders, Row, read_rows
from tests.ready_python import ReadyPython

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mailer.py"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Name a data directory for the server, and no other server."""
    named = {name: text for name, text in os.environ.items() if name not in {"FLOWS_REDIS_URL", "REDIS_URL"}}
    yield {**named, "FLOWS_DATA_DIR": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path)}
    EmbeddedServer(tmp_path / "data").stop()


def test_each_ending_is_told_though_the_worker_is_killed(python: ReadyPython, environment: dict[str, str]) -> None:
    """By a webhook each, failures by mail, and in the report those of its types; no token is seen anywhere."""
    rows = read_rows(SAMPLE)
    failing = [row for row in rows if row.fails]
    done = python.run(EXAMPLE, "--json", environment=environment, limit=110)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report.pop("seconds") > 0
    assert report.pop("webhooks") >= len(rows)
    assert report.pop("mails") >= 2  # the report, and one at least for the failures
    assert report == {
        "jobs": len(rows),
        "done": len(rows) - len(failing),
        "failed": len(failing),
        "by_error": {"no-invoice": 3, "paid-already": 3, "unknown-address": 3},
        "endings_logged": len(rows),
        "webhooks_distinct": len(rows),
        "report_rows": sum(number % 3 < 2 for number in range(len(rows))),
        "secrets_seen": 0,
        "kills": 2,
    }


async def test_a_token_that_leaks_is_seen(redis_url: str, redis: Redis, tmp_path: Path) -> None:
    """On purpose, into a result: then it is on the server, in what operators see, in webhooks and in the report."""
    rows = [Row(kind="invoice", order=str(number), to="a@b.example", tenant="acme", fails=False) for number in range(2)]
    report = await mail(rows, redis_url, tmp_path, leaks=True, kills=0)
    for key in redis.scan_iter("mailer:*"):
        redis.delete(key)
    assert (report["done"], report["kills"]) == (2, 0)
    assert report["secrets_seen"] >= 4 * len(rows)
    assert count_seen(["whsec_abc", "token"], [b"a token abc", b"abc"]) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no rows"),
        ("order,to,tenant\n1,a@b,acme\n", "no column 'fails'"),
        ("order,to,tenant,fails\n1,a@b,acme,perhaps\n", "row 1 has an empty column, or fails is not yes or no"),
        ("order,to,tenant,fails\n1,,acme,no\n", "row 1 has an empty column"),
    ],
)
async def test_a_file_that_cannot_be_mailed(tmp_path: Path, text: str, why: str) -> None:
    """It says what is wrong, before anything is created; other columns are left out."""
    file = tmp_path / "mails.csv"
    await asyncio.to_thread(file.write_text, text)
    with pytest.raises(BadOrders, match=why):
        read_rows(file)
    await asyncio.to_thread(file.write_text, "note,order,to,tenant,fails\nx,1,a@b,acme,yes\n")
    assert read_rows(file) == [Row(kind="confirmation", order="1", to="a@b", tenant="acme", fails=True)]


def test_a_file_that_is_not_there(python: ReadyPython, environment: dict[str, str]) -> None:
    """It ends with status 2 and one line."""
    done = python.run(EXAMPLE, "--orders", "nowhere.csv", environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mailer: nowhere.csv: it cannot be read")
