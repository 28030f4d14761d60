"""fork: a new run with what another one had done, in parts that nobody sees before the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest

from flows.errors import StoreUnavailable
from flows.store.client.scripts import Argument, Script, load
from flows.store.runs.fork import Fork, ForkAnswer, start_fork
from tests.store.runs.run_world import RunWorld, done
from tests.store.schedules.stage import Timed

RECORDS = {"step:a": done(1, "[0,1,0]"), "step:b": done(2, "[0,1,1]")}
FIELDS = {"input": b"null", "_priority": b"2", "tenant": b"7", "_come": b"1", "_forked": b"1 c"}
FORK = Fork("1", "2", "order", FIELDS, "workflow:order\ntag:x", RECORDS)
#: Over 512 KiB each: a part of its own.
MANY = {f"step:s{n}": done("x" * 600_000, f"[0,{n + 1},0]") for n in range(3)}


class Watched(Timed):
    """Sends each call twice, and notes after each whether anything is to be seen of the new run."""

    def __init__(self, runs: RunWorld, url: str) -> None:
        """Nothing was sent yet."""
        super().__init__(url)
        self.twice = True
        self.runs = runs
        self.seen: list[bool] = []
        #: After so many calls, what was put beside the run is gone.
        self.lost_after = 99

    async def run(self, script: Script, named: dict[str, Any], rest: Sequence[Argument] = ()) -> Any:
        """Run the script."""
        answer = await super().run(script, named, rest)
        found = self.runs.snapshot()
        self.seen.append("run:2" in found.get("jobs", {}) or "waiting" in found or "lookup" in found)
        if len(self.seen) == self.lost_after:
            self.runs.redis.delete(self.runs.key("forking", "2"))
        return answer


@pytest.fixture
def sent(runs: RunWorld, redis_url: str) -> Iterator[Watched]:
    """Connect."""
    connection = Watched(runs, redis_url)
    yield connection
    connection.client.close()


def fork(runs: RunWorld, sent: Watched, one: Fork = FORK) -> bool:
    """Fork a run."""
    return asyncio.run(start_fork(sent, runs.settings, one))  # type: ignore[arg-type]


def test_it_begins_with_what_the_other_one_had_done(runs: RunWorld, sent: Watched) -> None:
    """By one call, which may come twice; to its worker it has begun before, so that this reads what is recorded."""
    assert fork(runs, sent)
    assert len(sent.seen) == 1
    job = runs.job("run:2")
    assert job.items() >= {name: value.decode() for name, value in {**FIELDS, **RECORDS}.items()}.items()
    assert job["_lookups"] == FORK.lookups
    assert runs.redis.lrange(runs.keys.lookup("run", "tag", "x"), 0, -1) == ["2"]
    assert runs.place() == {"waiting": ["2"]}
    [claimed] = runs.claim(queue="order")
    assert (claimed.id, claimed.fence, claimed.attempt, claimed.visit) == ("2", 2, 1, 0)


def test_without_records_it_begins_anew(runs: RunWorld, sent: Watched) -> None:
    """As a run that was just started."""
    assert fork(runs, sent, replace(FORK, records={}))
    assert set(runs.job("run:2")) == {*FIELDS, "_queue", "_created", "_lookups"}
    assert [claimed.fence for claimed in runs.claim(queue="order")] == [1]


def test_a_large_one_is_written_in_parts_that_nobody_sees(runs: RunWorld, sent: Watched) -> None:
    """They stand beside it for some minutes; with the last one all of it is there, and stays."""
    assert fork(runs, sent, replace(FORK, records=MANY))
    assert sent.seen == [False, False, True]
    job = runs.job("run:2")
    assert {name: len(job[name]) for name in MANY} == {name: len(value) for name, value in MANY.items()}
    assert runs.field("2", "_attempt").startswith("1 - 0 0 0 ")
    assert (runs.life("jobs", "run:2"), "forking" in runs.snapshot()) == (-1, False)


def test_parts_that_are_gone_are_not_a_run(runs: RunWorld, sent: Watched) -> None:
    """They live for ten minutes: who takes longer has to begin anew."""
    sent.lost_after = 1
    with pytest.raises(StoreUnavailable, match="fork it again"):
        fork(runs, sent, replace(FORK, records=MANY))
    assert sent.seen == [False] * 3
    assert 500_000 < runs.life("forking", "2") <= 600_000


def test_the_results_of_many_children_are_copied(runs: RunWorld, sent: Watched) -> None:
    """Those that stand beside the hash; they live as long as the new run. Of a step that has none, nothing is."""
    side = runs.key("settled", "run:1:children:m")
    results: dict[Any, Any] = {str(n): f'{{"id":"{n}"}}' for n in range(1_200)}
    runs.redis.hset(side, mapping=results)
    runs.redis.pexpire(side, 5_000)
    assert fork(runs, sent, replace(FORK, parents=("m", "w")))
    assert runs.redis.hgetall(runs.key("settled", "run:2:children:m")) == results
    assert runs.life("settled", "run:2:children:m") == -1
    assert runs.field("2", "_lookups") == "#side:2:children:m\n" + FORK.lookups
    assert len(sent.seen) > 2


@pytest.mark.parametrize("kind", ["waiting", "forking"])
def test_a_key_that_is_not_ours_stops_it(runs: RunWorld, sent: Watched, kind: str) -> None:
    """Before anything is written."""
    runs.redis.set(runs.key(kind, "order" if kind == "waiting" else "2"), "not ours")
    before = runs.snapshot()
    if kind == "waiting":
        assert not fork(runs, sent)
    else:
        for records in (MANY, RECORDS):
            with pytest.raises(Exception, match="FLOWSCONFLICT"):
                fork(runs, sent, replace(FORK, records=records))
    assert runs.snapshot() == before


def test_the_header_and_the_type_have_the_same_words() -> None:
    """Neither has one that the other lacks."""
    assert sorted(load("fork", "runs").words) == sorted(get_args(ForkAnswer))
