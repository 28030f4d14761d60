"""One operation, declared in one file: a command, a route, a type and a line of the audit without another line."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.__main__ import add_web
from flows.api.operation import forget_operation
from flows.cli.app import make_app, run_app
from flows.server import create_app
from tests.api.conftest import Left
from tests.server.serving import serving

DECLARED = '''
from flows.api import Acted, Admin, operation


@operation("coffee.make", role="operator")
async def make(admin: Admin, cups: int = 1) -> Acted:
    """Make coffee for whoever operates.

    Args:
        cups: How many.
    """
    return Acted(word="made")
'''


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Import the file."""
    (tmp_path / "coffee_of_ours.py").write_text(DECLARED)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("coffee_of_ours")
    yield
    forget_operation("coffee.make")


@pytest.mark.usefixtures("declared")
async def test_one_declaration_is_everywhere(left: Left, capsys: pytest.CaptureFixture[str]) -> None:
    """In the help, as a command, in the OpenAPI document, as a route, in the TypeScript types and in the audit."""
    app, where = make_app(add_web), ["--redis-url", left.url, "--namespace", left.namespace]

    async def said(*words: str) -> str:
        assert await asyncio.to_thread(run_app, app, words) == 0
        return capsys.readouterr().out

    assert "coffee " in await said("--help")
    assert "Make coffee for whoever operates." in await said("coffee", "--help")
    assert "made" in await said("coffee", "make", "2", *where)
    assert '"coffee.make": {' in await said("types", "--ts")
    async with serving(create_app(left.url, left.namespace)) as server, server.client() as client:
        document = (await client.get("/api/v1/openapi.json")).json()
        assert document["paths"]["/api/v1/coffee/make"]["post"]["summary"] == "Make coffee for whoever operates."
        assert (await client.post("/api/v1/coffee/make", json={"cups": 3})).json()["word"] == "made"
    lines = await said("audit", "--doing", "coffee", "--json", *where)
    told = [json.loads(line) for line in lines.splitlines()]
    assert [(one["via"], one["given"], one["word"]) for one in told] == [
        ("http", {"cups": 3}, "made"),
        ("http", {"cups": 3}, "asked"),
        ("cli", {"cups": 2}, "made"),
        ("cli", {"cups": 2}, "asked"),
    ]
