"""A server over what a program of somebody else has left in Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from flows.server import Tokens, create_app
from flows.server.tokens import new_token
from tests.api.conftest import Left, left, left_to_act
from tests.server.serving import Serving, serving

__all__ = ["left", "left_to_act"]


class Callers:
    """A file of tokens, and the tokens that are in it."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        lines: list[str] = []
        for name, role, flows, more in (
            ("vera", "viewer", "", ""),
            ("ana", "operator", "", ""),
            ("otto", "operator", "other", ""),
            ("hugo", "operator", "", " hide=email"),
            ("dora", "viewer", "", " until=2020-01-01"),
        ):
            self.tokens[name], line = new_token(name, role, flows=flows)
            lines.append(line + more)
        self.text = "\n".join(lines)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Redis take its time: a busy machine is not a Redis that is away, and `live/test_away.py` tests that."""
    monkeypatch.setattr("flows.server.app.ANSWERED_WITHIN", 30.0)


@pytest.fixture(scope="session")
def callers() -> Callers:
    """Make the tokens of a viewer, an operator, one of another flow, one who does not see all, and one that is over."""
    return Callers()


@pytest.fixture
async def server(left: Left, callers: Callers) -> AsyncIterator[Serving]:
    """Serve what was left, to those who have a token."""
    app = create_app(left.url, left.namespace, auth=Tokens(callers.text), live_key="k" * 32)
    async with serving(app) as running:
        yield running


@pytest.fixture
async def open_server(left: Left) -> AsyncIterator[Serving]:
    """Serve what was left, to everyone on this machine."""
    async with serving(create_app(left.url, left.namespace)) as running:
        yield running
