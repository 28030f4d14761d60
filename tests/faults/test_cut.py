"""The exhaustive cut finds an operation that is not safe to send twice, and one that does not say that it failed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.store.client import connection
from tests.faults.cut import Cutter, Operation, Stage
from tests.faults.operations import create, turn
from tests.faults.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server."""
    with Server(tmp_path_factory.mktemp("server"), profile="none") as running:
        yield running


@pytest.fixture
def cutter(server: Server, tmp_path: Path) -> Iterator[Cutter]:
    """Make a cutter."""
    cutter = Cutter(server, tmp_path)
    yield cutter
    cutter.close()


async def _push(stage: Stage) -> Any:
    return await stage.flow._runtime.session.connection.call("RPUSH", f"{stage.namespace}list", "x")


async def _add(stage: Stage) -> Any:
    return await stage.flow._runtime.session.connection.call("SADD", f"{stage.namespace}set", "x")


async def _add_silently(stage: Stage) -> None:
    try:
        await _add(stage)
    except connection.StoreUnavailable:
        return


async def test_finds_what_is_not_safe_to_send_twice(cutter: Cutter) -> None:
    """A lost reply makes two of one; a lost request does not."""
    tried = await cutter.try_all(Operation("push", _push))
    assert (tried.commands, tried.points, tried.missed) == (1, 2, 0)
    [violation] = tried.violations
    assert "cut after command 1" in violation
    assert "['x', 'x']" in violation


async def test_finds_another_answer(cutter: Cutter) -> None:
    """The state is the same, and the answer is not."""
    [violation] = (await cutter.try_all(Operation("add", _add))).violations
    assert "result" in violation


async def test_finds_what_gives_up_silently(cutter: Cutter, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server stays away, an operation has to say so."""
    monkeypatch.setattr(connection, "DEADLINE", 0.3)
    assert (await cutter.try_all(Operation("add", _add), away=True)).violations == []
    [violation] = (await cutter.try_all(Operation("add silently", _add_silently), away=True)).violations
    assert "set" in violation


async def test_finds_nothing_in_a_turn(cutter: Cutter) -> None:
    """Also when the server does not know the script, so that it is sent twice."""
    tried = await cutter.try_all(turn("claim", None, prepare=lambda stage: create(stage, 2), unknown=True))
    assert (tried.commands, tried.points, tried.violations) == (2, 4, [])
