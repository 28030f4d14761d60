"""Groups and priorities get what is theirs, and what groups there are besides costs a turn nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from redis import Redis

from flows.testing import private_server
from tests.counted import CountedWorld
from tests.faults.rules.plan import Limit, Planned, QueuePlan
from tests.faults.rules.ruled_world import Call, Claimed, RuledWorld
from tests.scale import scaled
from tests.world import World, finish

#: A claim brings so many.
TURN = 100


def ruled(world: World, queue: QueuePlan) -> RuledWorld:
    """Return a world with one ruled queue, in which its jobs wait."""
    made = RuledWorld(world.redis, world.namespace, [queue])
    create(made, queue)
    return made


def create(world: RuledWorld, queue: QueuePlan) -> None:
    """Create all jobs, 200 by one script; each id begins with its group and its priority."""
    named = [(f"{job.group}.{job.priority}.{number}", job) for number, job in enumerate(queue.jobs)]
    for at in range(0, len(named), 200):
        world.create(queue.name, named[at : at + 200])


def claims(world: RuledWorld, turn: int = TURN) -> Iterator[tuple[str, str]]:
    """Claim and finish all jobs, and yield the group and the priority of each."""
    number, running = 0, list[Claimed]()
    while True:
        number += 1
        ended = [(claimed, finish(claimed.id, claimed.fence)) for claimed in running]
        running = world.take_turn("pick", "w1", Call(number, ended, turn, busy=False)).claimed
        for claimed in running:
            group, priority, _ = claimed.id.split(".")
            yield group, priority
        if not running:
            return


@pytest.mark.scale
def test_small_groups_are_done_in_time_beside_a_large_one(world: World) -> None:
    """Ideally all of ten groups get the same, so nine of 100 jobs each are done within 1,000 claims."""
    many = scaled(5_000, full=100_000)
    jobs = [Planned(group="large")] * many + [Planned(group=f"small{n % 9}") for n in range(900)]
    left, claimed = 900, 0
    for group, _ in claims(ruled(world, QueuePlan("pick", tuple(jobs), grouped=True))):
        claimed += 1
        left -= group != "large"
        if not left:
            break
    assert claimed <= 1.05 * 1_000


@pytest.mark.parametrize("turn", [7, TURN])
def test_groups_get_their_shares(world: World, turn: int) -> None:
    """Within a hundredth of 1,000 claims, in turns of whatever size."""
    shares = {"a": 1.0, "b": 2.0, "c": 5.0}
    jobs = tuple(Planned(group=group) for group in shares for _ in range(700))
    found = Counter[str]()
    for number, (group, _) in enumerate(claims(ruled(world, _shared(jobs, shares)), turn)):
        if number == 1_000:
            break
        found[group] += 1
    assert all(abs(found[group] - 1_000 * share / 8) <= 10 for group, share in shares.items()), found


def _shared(jobs: tuple[Planned, ...], shares: dict[str, float]) -> QueuePlan:
    return QueuePlan("pick", jobs, grouped=True, group_shares=shares)


@pytest.mark.parametrize("turn", [7, TURN])
def test_priorities_get_their_shares(world: World, turn: int) -> None:
    """As groups do; and none starves."""
    jobs = tuple(Planned(priority=priority) for priority in (1, 2, 3) for _ in range(900))
    found = Counter[str]()
    queue = QueuePlan("pick", jobs, priorities=3, shares=(8, 3, 1))
    for number, (_, priority) in enumerate(claims(ruled(world, queue), turn)):
        if number == 1_200:
            break
        found[priority] += 1
    assert all(abs(found[str(n)] - each) <= 12 for n, each in ((1, 800), (2, 300), (3, 100))), found


def test_costs_count_for_shares(world: World) -> None:
    """A group whose jobs cost three times as much starts a third as many."""
    jobs = tuple(Planned(group="dear", cost=3) for _ in range(400)) + tuple(Planned(group="cheap") for _ in range(900))
    found = Counter[str]()
    for number, (group, _) in enumerate(claims(ruled(world, QueuePlan("pick", jobs, grouped=True, slots=10_000)))):
        if number == 800:
            break
        found[group] += 1
    assert abs(found["dear"] - 200) <= 8, found


def test_who_comes_back_has_saved_nothing(world: World) -> None:
    """A group that was away gets its share from then on, and no more for the time before."""
    jobs = tuple(Planned(group="there") for _ in range(600))
    made = ruled(world, QueuePlan("pick", jobs, grouped=True))
    turns = claims(made, 10)
    for _ in range(300):
        next(turns)
    made.create("pick", [(f"back.1.{n}", Planned(group="back")) for n in range(100)])
    found = Counter(group for _, (group, _) in zip(range(100), turns, strict=False))
    assert abs(found["back"] - 50) <= 10, found


@pytest.mark.scale
def test_parked_groups_cost_an_empty_turn_nothing() -> None:
    """A turn that may start nothing sends as many commands beside 100,000 groups that wait as beside ten."""
    few, many = (_commands_of_an_empty_turn(groups) for groups in (10, scaled(1_500, full=100_000)))
    assert few > 0
    assert many <= 1.1 * few


def _commands_of_an_empty_turn(groups: int) -> int:
    jobs = tuple(Planned(group=f"g{n % groups}") for n in range(2 * groups))
    limit = Limit("pick:1", 1, 3_600_000, grouped=True)
    queue = QueuePlan("pick", jobs, grouped=True, limits=(limit,))
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        made = RuledWorld(redis, "", [queue])
        create(made, queue)
        started = sum(1 for _ in claims(made))
        for number in range(10_000, 10_000 + groups // 500 + 2):  # all groups are found to have no token, and parked
            made.take_turn("pick", "w1", Call(number, [], TURN, busy=False))
        assert (started, redis.zcard("flows:parked:pick")) == (groups, groups)
        before = CountedWorld.commands(redis)
        answer = made.take_turn("pick", "w1", Call(20_000, [], TURN, busy=False))
        assert (answer.claimed, answer.left) == ([], 0)
        return CountedWorld.commands(redis) - before
