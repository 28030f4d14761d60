"""The campaign as its user runs it: a real process, a provider of its own, a private server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from campaign import Send, send
from campaign_client import Answer
from flows import Retry, Snooze
from flows.store.embedded import EmbeddedServer
from flows.testing import running_job
from tests.ready_python import ReadyPython

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "campaign.py"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Name a data directory for the server, and no other server."""
    named = {name: text for name, text in os.environ.items() if name not in {"FLOWS_REDIS_URL", "REDIS_URL"}}
    yield {**named, "FLOWS_DATA_DIR": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path)}
    EmbeddedServer(tmp_path / "data").stop()


#: Runs the example to its end.
Campaign = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def campaign(python: ReadyPython, environment: dict[str, str]) -> Campaign:
    """Run the example to its end."""
    return partial(python.run, EXAMPLE, environment=environment, limit=110)


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON object that is all of stdout."""
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_a_list_is_sent_within_the_limits(campaign: Campaign, tmp_path: Path) -> None:
    """All of it, each once. Without limits the windows would hold all mails.

    A machine that stalls for longer than the margin may let one more come in a window: it is rejected, and sent again.
    """
    file = tmp_path / "list.csv"
    rows = [f"{n}@a.example,t{n % 4},{'pro' if n % 3 else 'free'},x" for n in range(30)]
    file.write_text("\n".join(["email,tenant,plan,note", *rows]), encoding="utf-8")
    report = report_of(campaign("--recipients", file, "--per-tenant", "5/3s", "--overall", "15/3s", "--json"))
    assert report.pop("seconds") > 3
    assert report == {
        "sent": 30,
        "tenants": 4,
        "margin_ms": 200,
        "max_per_tenant_window": pytest.approx(5, abs=1),
        "max_overall_window": pytest.approx(14, abs=2),
        "rejected_by_provider": pytest.approx(0, abs=2),
    }


def test_without_a_list_it_sends_one_of_its_own(campaign: Campaign) -> None:
    """With the usual rates; what it does stands on stderr, a line for each figure on stdout."""
    done = campaign()
    assert done.returncode == 0, done.stderr
    assert "30 of 30 sent, 0 failed" in done.stderr
    assert done.stdout.splitlines()[0].split() == ["sent", "30"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipients", "missing.csv"], "campaign: missing.csv: No such file"),
        (["--overall", "many"], "campaign: 'many' is no rate"),
        (["--per-tenant", "5/1d"], "campaign: '5/1d' is no rate"),
    ],
)
def test_what_cannot_be_is_refused(campaign: Campaign, tmp_path: Path, arguments: list[str], message: str) -> None:
    """The status is 2, stdout is empty, and neither a provider nor a server was started."""
    done = campaign(*arguments, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (tmp_path / "data").exists()


class Provider:
    """Gives one answer to whatever it is asked, and keeps what that was."""

    def __init__(self, status: int, **body: object) -> None:
        self.answer = Answer(status, body)
        self.asked: list[dict[str, str]] = []

    async def ask(self, _method: str, _path: str, body: dict[str, str]) -> Answer:
        """Give the answer."""
        self.asked.append(body)
        return self.answer


MAIL = Send(email="ann@a.example", tenant="acme")


async def test_a_mail_is_handed_over_with_its_key() -> None:
    """By which the provider drops what is sent twice."""
    provider = Provider(202)
    with running_job() as running:
        await send(MAIL, provider)  # type: ignore[arg-type]
        assert provider.asked == [{"key": running.current.idempotency_key, "email": "ann@a.example", "tenant": "acme"}]


@pytest.mark.parametrize(("limit", "hold"), [("tenant", "group"), ("overall", "queue")])
async def test_a_429_holds_what_it_is_about(limit: str, hold: str) -> None:
    """The tenant's mails, or all of them, for as long as the provider says."""
    provider = Provider(429, limit=limit, retry_after_ms=250)
    with running_job(), pytest.raises(Snooze) as caught:
        await send(MAIL, provider)  # type: ignore[arg-type]
    assert caught.value.hold == hold
    assert caught.value.after is not None
    assert caught.value.after.total_seconds() == 0.25


async def test_another_answer_is_tried_again() -> None:
    """As its queue's retries say."""
    with running_job(), pytest.raises(Retry, match="the provider said 503"):
        await send(MAIL, Provider(503))  # type: ignore[arg-type]
