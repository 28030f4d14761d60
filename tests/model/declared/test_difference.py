"""What two releases of a flow declare otherwise is told thing by thing."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from flows import FlowOptions, Job, Limiter, QueueOptions, Retries
from flows.model.declared.declared_flow import DeclaredFlow, read_declared
from flows.model.declared.description import describe
from flows.model.declared.difference import Difference, differences


class Old(BaseModel):
    """What jobs were created with."""

    user_id: int
    email: str | None = None


class New(BaseModel):
    """What they are created with."""

    user_id: str
    locale: str = "en"
    region: str


class Step(Job):
    """A job."""

    user_id: int


def declared(params: type[BaseModel], *queues: QueueOptions[Step], ttl: timedelta | None = None) -> DeclaredFlow:
    """Return a declaration as it is read back."""
    description = describe(FlowOptions("access", list(queues), job_ttl=ttl), params)
    found = read_declared(description.digest, description.text, None)
    assert found is not None
    return found


def test_tells_each_thing_that_differs() -> None:
    """Queues that came and went, times, attempts, limits, and fields with whether old jobs fit."""
    old = declared(
        Old,
        QueueOptions("role", Step, timeout=10, retries=Retries(5), limits=[Limiter(50, 1)]),
        QueueOptions("gone", Step),
    )
    new = declared(
        New,
        QueueOptions("role", Step, timeout=8, retries=Retries(3), limits=[Limiter(100, 1)], max_concurrency=4),
        QueueOptions("badge", Step),
        ttl=timedelta(days=1),
    )
    found = {(one.what, one.queue, one.name): one for one in differences(old, new)}
    assert found["timeout", "role", None] == Difference("timeout", "role", None, 10.0, 8.0)
    assert found["max_attempts", "role", None].now == 3
    assert found["slots", "role", None] == Difference("slots", "role", None, 0, 4)
    assert found["limit", "role", "role:1"].was == {"reservoir": 50, "interval": 1.0, "per_group": False}
    assert found["queue", "badge", None] == Difference("queue", "badge", None, None, "Step")
    assert found["queue", "gone", None] == Difference("queue", "gone", None, "Step", None)
    assert found["ttl", None, None].now == 86400.0
    locale = found["field", None, "locale"]
    assert (locale.was, locale.now, locale.fits) == (None, {"type": "string", "default": "en", "required": False}, True)
    assert found["field", None, "region"].fits is False
    assert found["field", None, "email"].now is None
    assert (found["field", None, "user_id"].was["type"], found["field", None, "user_id"].now["type"]) == (
        "integer",
        "string",
    )


def test_a_release_differs_from_itself_in_nothing() -> None:
    """Nor does one from which schemas were left out."""
    one = declared(Old, QueueOptions("role", Step))
    assert differences(one, one) == []
