"""The registry: what it says of each operation is enough for every mouth, and for the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.api import Acted, Admin, find_operation, operation, operations, problem_of
from flows.api.operation import Operation, forget_operation
from flows.errors import FlowsError, QuerySyntaxError, StateError, TooManyRequests, ValidationError
from tests.api.conftest import Left

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
EVERY = list(operations().values())


@pytest.fixture
def ping() -> Iterator[Operation[Acted]]:
    """Declare an operation for one test."""

    @operation("server.ping_twice", role="operator")
    async def ping_twice(admin: Admin, word: str = "pong") -> Acted:
        """Answer a word."""
        await admin.connection.call("PING")
        return Acted(word=word)

    assert ping_twice.__name__ == "ping_twice"
    yield find_operation("server.ping_twice")
    forget_operation("server.ping_twice")


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_an_operation_says_what_it_is(one: Operation[object]) -> None:
    """A sentence, a description of each param, and JSON schemas of both sides."""
    assert one.summary.endswith(".")
    assert [name for name, field in one.params.model_fields.items() if not field.description] == []
    assert one.params.model_json_schema()["type"] == "object"
    assert one.adapter.json_schema(mode="serialization")


def test_the_document_has_all_of_them() -> None:
    """A row each: the role, the params and the sentence."""
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert rows == [
        (one.name, one.role, ", ".join(f"`{name}`" for name in one.params.model_fields) or "none", one.summary)
        for one in EVERY
    ]


async def test_one_declaration_is_enough(left: Left, ping: Operation[Acted]) -> None:
    """A new operation has its name, role, params and audit without another line."""
    assert (ping.group, ping.verb, ping.acts, [*ping.params.model_fields]) == ("server", "ping_twice", True, ["word"])
    async with left.admin() as admin:
        assert (await ping.call(admin, {})).word == "pong"
        with pytest.raises(ValidationError, match=r"server\.ping_twice: word: Input should be a valid string"):
            await ping.call(admin, {"word": 1})
        last = await find_operation("audit.list").call(admin, {"doing": "server.ping_twice"})
    assert [one.word for one in last.actions] == ["pong", "asked"]
    with pytest.raises(ValidationError, match=r"no operation 'jobs\.retri': there is jobs\.retry"):
        find_operation("jobs.retri")
    with pytest.raises(TypeError, match="and once"):
        operation("jobs.retry")(ping.function)


def test_each_error_has_a_status() -> None:
    """That of the most special kind; what is none of flows' tells nothing but that something broke."""
    assert problem_of(StateError("1", "waiting", "retried")).plain() == {
        "type": "StateError",
        "title": "The job's state does not allow what was asked.",
        "status": 409,
        "detail": "job 1 is waiting: it cannot be retried",
    }
    assert problem_of(QuerySyntaxError("a", 0, "why")).position == 0
    assert problem_of(TooManyRequests(2)).plain()["retry_after"] == 2
    assert problem_of(FlowsError("x")).status == 500
    assert problem_of(KeyError("secret")).plain()["detail"] == "it is in the log"
