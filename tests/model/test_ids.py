"""Job ids: UUIDv7 with a shard, made in any number and read back."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.model.ids import SHARD_BITS, created_at, named_child_id, new_child_id, new_job_id
from flows.model.names import is_job_id

MILLISECOND = timedelta(milliseconds=1)


def shard(job_id: str) -> int:
    """Return the last 14 bits of an id."""
    return UUID(job_id).int & ((1 << SHARD_BITS) - 1)


def test_an_id_is_a_bare_uuid_of_version_7() -> None:
    """Version and variant are those of RFC 9562, and the text is the usual one."""
    for _ in range(1_000):
        job_id = new_job_id()
        parsed = UUID(job_id)
        assert str(parsed) == job_id
        assert (job_id[14], parsed.variant) == ("7", "specified in RFC 4122")
        assert is_job_id(job_id)


def test_ids_are_all_different() -> None:
    """However quickly they are made."""
    assert len({new_job_id() for _ in range(50_000)}) == 50_000


def test_ids_made_later_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down to a 4096th of a millisecond, they sort as texts by when they were made."""
    start = 1_790_000_000_000_000_000
    ids: list[str] = []
    for step in range(1, 2_000):
        monkeypatch.setattr(time, "time_ns", lambda step=step: start + step * 1_000)
        ids.append(new_job_id())
    assert ids == sorted(ids)


def test_the_time_of_an_id_is_true_in_bulk_too() -> None:
    """`created_at` is read from the id, so an id never runs ahead of the clock."""
    before = datetime.now(UTC)
    ids = [new_job_id() for _ in range(10_000)]
    after = datetime.now(UTC)
    times = [created_at(job_id) for job_id in ids]
    assert before - MILLISECOND <= min(times)
    assert max(times) <= after
    assert {time.tzinfo for time in times} == {UTC}


@given(st.integers(min_value=0, max_value=(1 << 48) - 1))
def test_the_milliseconds_of_an_id_are_read_back(milliseconds: int) -> None:
    """To the millisecond, as far as dates of Python go."""
    milliseconds %= 253_402_300_800_000  # the end of the year 9999
    job_id = f"{milliseconds:012x}"
    job_id = f"{job_id[:8]}-{job_id[8:]}-7abc-8def-0123456789ab"
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert abs(created_at(job_id) - expected) < MILLISECOND


def test_shards_are_spread() -> None:
    """The 16,384 shards are all but evenly used: no part of a cluster gets most of the jobs."""
    shards = [shard(new_job_id()) for _ in range(20_000)]
    assert len(set(shards)) > 10_000
    assert min(shards) < 200
    assert max(shards) > 16_184


def test_a_child_shares_its_parents_shard_and_nothing_else() -> None:
    """So do its children: one script can touch a parent and all that stand below it."""
    parent = new_job_id()
    children = [new_child_id(parent) for _ in range(1_000)]
    assert {shard(child) for child in children} == {shard(parent)}
    assert shard(new_child_id(children[0])) == shard(parent)
    assert len({parent, *children}) == 1_001
    assert all(UUID(child).version == 7 for child in children)


def test_a_fork_draws_numbers_of_its_own() -> None:
    """Random numbers are drawn ahead: a process that forks does not give its child those that it will use itself."""
    new_job_id()  # numbers are drawn by now
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, "".join(new_job_id()[-12:] for _ in range(10)).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 1000).decode()
    assert len(theirs) == 120
    assert not {theirs[at : at + 12] for at in range(0, 120, 12)} & {new_job_id()[-12:] for _ in range(10)}


@given(st.text(max_size=200))
def test_a_name_has_one_id_below_a_parent(name: str) -> None:
    """Always the same, of version 7, in the parent's shard; another parent's is another one."""
    parent, other = new_job_id(), new_job_id()
    made = named_child_id(parent, name)
    assert made == named_child_id(parent, name)
    assert is_job_id(made)
    assert UUID(made).version == 7
    assert shard(made) == shard(parent)
    assert created_at(made) - created_at(parent) < MILLISECOND
    assert len({made, named_child_id(other, name), named_child_id(parent, f"{name}x"), parent}) == 4


def test_a_name_may_have_an_id_of_another_time() -> None:
    """For what follows its parent later; the shard and the rest are as before."""
    parent = new_job_id()
    made = named_child_id(parent, "next", 1_700_000_000_123)
    assert created_at(made).timestamp() == 1_700_000_000.123
    assert made[14:] == named_child_id(parent, "next")[14:]
