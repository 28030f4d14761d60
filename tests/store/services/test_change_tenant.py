"""change_tenant: of the revision that was seen, each change under a number of its own, and told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.waiting import blocking_until
from tests.world import World


def change(world: World, tenant: str, seen: int, record: str) -> Any:
    """Change a tenant."""
    return world.run("change_tenant", service="mailer", tenant_id=tenant, seen=seen, record=record)


def listed(world: World) -> dict[str, str]:
    """Return the list."""
    return world.redis.hgetall(world.key("tenants", "mailer"))


@contextlib.contextmanager
def told(world: World) -> Iterator[list[str]]:
    """Hear what is told meanwhile."""
    heard: list[str] = []
    with world.redis.pubsub() as listener:
        channel = world.key("tenants_changed", "mailer")
        listener.ssubscribe(channel)
        listener.get_sharded_message(timeout=5)
        yield heard
        world.redis.spublish(channel, "end")

        def read() -> bool:
            message = listener.get_sharded_message(ignore_subscribe_messages=True)
            if message is not None:
                heard.append(message["data"])
            return heard[-1:] == ["end"]

        blocking_until(read)
        heard.pop()


def test_a_tenant_is_added_changed_and_removed(world: World) -> None:
    """Each change rises the one number of the service; whoever listens hears it."""
    with told(world) as heard:
        assert change(world, "acme", 0, '{"a b":1}') == ["changed", 1]
        assert change(world, "other", 0, "{}") == ["changed", 2]
        assert change(world, "acme", 1, '{"a b":2}') == ["changed", 3]
        assert listed(world) == {"acme": '3 {"a b":2}', "other": "2 {}", "#rev": "3"}
        assert change(world, "acme", 0, "") == ["changed", 4]
        assert listed(world) == {"other": "2 {}", "#rev": "4"}
    assert heard == ["1", "2", "3", "4"]


def test_what_is_sent_twice_is_done_once(world: World) -> None:
    """After a lost answer the same call comes again; it answers the same, and nothing rises."""
    for _twice in range(2):
        assert change(world, "acme", 0, "{}") == ["changed", 1]
    for _twice in range(2):
        assert change(world, "acme", 1, '{"n":1}') == ["changed", 2]
    assert change(world, "acme", 0, "") == ["changed", 3]
    assert change(world, "acme", 0, "") == ["gone", 0]
    assert listed(world) == {"#rev": "3"}


def test_another_revision_changes_nothing(world: World) -> None:
    """It is there already, it has moved, or it is gone."""
    with told(world) as heard:
        assert change(world, "acme", 4, "{}") == ["gone", 0]
        assert change(world, "acme", 0, "{}") == ["changed", 1]
        assert change(world, "acme", 0, '{"n":1}') == ["moved", 1]
        assert change(world, "acme", 2, '{"n":1}') == ["moved", 1]
    assert listed(world) == {"acme": "1 {}", "#rev": "1"}
    assert heard == ["1"]


def test_a_record_that_was_edited_into_nonsense_is_as_none(world: World) -> None:
    """It can be added anew, and removed."""
    world.redis.hset(world.key("tenants", "mailer"), "acme", "nonsense")
    assert change(world, "acme", 0, "{}") == ["changed", 1]
    world.redis.hset(world.key("tenants", "mailer"), "acme", "nonsense")
    assert change(world, "acme", 0, "") == ["changed", 2]


def test_another_type_is_a_conflict(world: World) -> None:
    """Nothing is written."""
    world.redis.set(world.key("tenants", "mailer"), "mine")
    with pytest.raises(ResponseError, match="holds a string where flows keeps a hash"):
        change(world, "acme", 0, "{}")
    assert world.redis.get(world.key("tenants", "mailer")) == "mine"
