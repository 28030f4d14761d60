"""The shop as its user runs it: real processes, a payment server of its own, a private server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from flows.store.embedded import EmbeddedServer
from tests.ready_python import ReadyPython

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "order_workflow.py"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Name a data directory for the server, and no other server."""
    named = {name: text for name, text in os.environ.items() if name not in {"FLOWS_REDIS_URL", "REDIS_URL"}}
    yield {**named, "FLOWS_DATA_DIR": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path)}
    EmbeddedServer(tmp_path / "data").stop()


#: Runs the example to its end.
Shop = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shop(python: ReadyPython, environment: dict[str, str]) -> Shop:
    """Run the example to its end."""
    return partial(python.run, EXAMPLE, environment=environment, limit=110)


def test_each_order_ends_as_it_should_though_its_worker_is_killed(shop: Shop) -> None:
    """Two orders of the list have no amount and two goods that are out of stock; nobody is charged twice."""
    done = shop("--crash", "1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.pop("seconds") > 0
    assert report == {
        "orders": 10,
        "shipped": 6,
        "refunded": 2,
        "failed": 0,
        "refused": 2,
        "charges": 8,
        "refunds": 2,
        "charged_twice": 0,
        "mails": 6,
        "kills": 1,
    }
    assert "the day: charges=8 refunds=2 mails=6" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("order_id,email,sku\nA,a@a.example,x\n", "names no column, or two, amount"),
        ("order_id,email,amount,sku\nA,a@a.example,1,x\nA,a@a.example,1,x\n", "A stands in row 2 already"),
        ("order_id,email,amount,sku\nA,,1,x\n", "row 2 has no email"),
    ],
)
def test_a_list_that_cannot_be_is_refused(shop: Shop, tmp_path: Path, content: str | None, message: str) -> None:
    """The status is 2, stdout is empty, and neither a payment server nor a server was started."""
    file = tmp_path / "list.csv"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    done = shop("--orders", file, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert not (tmp_path / "data").exists()
