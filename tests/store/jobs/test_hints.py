"""What a script only tells is a hint: where it cannot be told, all that the script writes is written all the same.

Since Redis 7.0 a new account may use no channel, whatever else it may do: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.client import PubSub

from tests.waiting import LONG
from tests.world import NOW, World, finish, processing


@pytest.fixture
def silent(redis: Redis, redis_url: str, namespace: str) -> Iterator[World]:
    """Make the world of an account that may do all but publish."""
    user = namespace.rstrip(":")
    redis.execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all", "resetchannels")
    with Redis.from_url(redis_url, decode_responses=True, username=user, password="pw") as client:  # noqa: S106
        yield World(client, namespace)
    redis.execute_command("ACL", "DELUSER", user)


@pytest.fixture
def listener(redis: Redis, silent: World) -> Iterator[PubSub]:
    """Let somebody with more rights wait for the job `shop:1`, so that scripts have somebody to tell."""
    with redis.pubsub(ignore_subscribe_messages=True) as listener:
        keys = silent.keys
        for channel in (keys.heard("shop"), keys.ended("shop", "1"), keys.heard("pack:box")):
            listener.ssubscribe(channel)
            listener.get_message(timeout=LONG)
        yield listener


@pytest.mark.usefixtures("listener")
def test_a_job_ends(silent: World) -> None:
    """The script goes on after what it could not tell: the job leaves `processing`, and the next ends too."""
    silent.seed(
        jobs={"shop:1": processing(), "shop:2": processing()}, processing={"pick": {"1": NOW + 9, "2": NOW + 9}}
    )
    assert silent.report(finish("1"), finish("2")) == ["ok", "ok"]
    ended = {"_status": "done", "_ended": str(NOW)}
    assert silent.snapshot() == {"jobs": {"shop:1": processing() | ended, "shop:2": processing() | ended}}


@pytest.mark.usefixtures("listener")
def test_a_child_settles(silent: World) -> None:
    """The parent of a child that ended hears of it, and goes on."""
    silent.seed(
        jobs={
            "shop:1": {"_status": "children", "_queue": "pack", "_fence": "1", "_worker": "w1", "_next": "ship"},
            "pack:box:c": processing("pack:box", _parent="shop:1"),
        },
        children={"pack": {"1": NOW}},
        pending={"shop:1": {"c"}},
        processing={"pack:box": {"c": NOW + 9}},
    )
    assert silent.report(finish("c", result="null"), queue="pack:box") == ["ok"]
    found = silent.snapshot()
    assert found["waiting"] == {"ship": ["1"]}
    assert found["jobs"]["shop:1"]["_status"] == "waiting"


def test_a_running_job_is_asked_to_end(silent: World) -> None:
    """The flag is set and answered, though nobody could be told of it."""
    silent.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    assert silent.run("cancel", id="1", reason="why") == ["requested", 0]
    assert silent.job("shop:1")["_cancel"] == "why"
