"""told: what a script has moved is told to those who listen, in messages that are not too long."""

from __future__ import annotations

from redis.client import PubSub

from tests.waiting import LONG
from tests.world import World, finish, processing

#: What one message takes, before its last line.
MOST_BYTES = 65536


def listen(world: World, listener: PubSub) -> None:
    """Listen to what is told of the flow, so that scripts see that somebody does."""
    for channel in (world.keys.changed("shop"), world.keys.heard("shop")):
        listener.ssubscribe(channel)
        listener.get_message(timeout=LONG)


def messages(listener: PubSub, lines: int) -> list[str]:
    """Return the messages that tell of so many jobs."""
    told: list[str] = []
    while sum(text.count("\n") + 1 for text in told) < lines:
        message = listener.get_message(timeout=LONG)
        assert message is not None
        told.append(message["data"])
    return told


def test_many_jobs_are_told_in_several_messages(world: World) -> None:
    """However long their ids are, no message grows far beyond its bound, and each job is told once."""
    ids = [f"{number:010000}" for number in range(14)]
    leases = dict.fromkeys(ids, world.now)
    world.seed(jobs={f"shop:{job_id}": processing() for job_id in ids}, processing={"pick": leases})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listen(world, listener)
        world.report(*(finish(job_id) for job_id in ids))
        told = messages(listener, len(ids))
    assert [len(text) > MOST_BYTES for text in told] == [True, True]
    assert "\n".join(told).split("\n") == [f"{job_id} done -" for job_id in ids]


def test_a_script_that_moves_nothing_tells_nothing(world: World) -> None:
    """The first message is that of the first move."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": world.now}})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listen(world, listener)
        world.turn(want=1)
        world.report(finish("1"))
        assert messages(listener, 1) == ["1 done -"]


def test_who_does_not_say_that_he_listens_is_told_nothing(world: World) -> None:
    """Scripts ask one channel of the flow whether anybody does; while nobody is there they gather nothing."""
    leases = {"1": world.now, "2": world.now}
    world.seed(jobs={"shop:1": processing(), "shop:2": processing()}, processing={"pick": leases})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.ssubscribe(world.keys.changed("shop"))
        listener.get_message(timeout=LONG)
        world.report(finish("1"))
        listen(world, listener)
        world.report(finish("2"))
        assert messages(listener, 1) == ["2 done -"]
