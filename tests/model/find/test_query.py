"""Queries in their normal form: what they match stays what was asked, however they are put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import ValidationError
from flows.model.find.conjunction import LAST_MS, Conjunction
from flows.model.find.query import MOST_ALTERNATIVES, JobQuery
from flows.model.state import JobState

LOOKUPS = [("user", "1"), ("user", "2"), ("tag", "a")]
STATES = [JobState.WAITING, JobState.FAILED, JobState.DONE]
QUEUES = ["pick", "pack"]


@dataclass(frozen=True)
class Stood:
    """A job as it stands, for a model that knows no normal form."""

    lookups: frozenset[tuple[str, str]]
    state: JobState
    queue: str
    created: int


JOBS = st.builds(
    Stood,
    st.frozensets(st.sampled_from(LOOKUPS)),
    st.sampled_from(STATES),
    st.sampled_from(QUEUES),
    st.integers(0, 9),
)
Asked = tuple[JobQuery, Callable[[Stood], bool]]


def fits(one: Conjunction, job: Stood) -> bool:
    """Whether a job fits one alternative."""
    return (
        one.lookups <= job.lookups
        and (one.states is None or job.state in one.states)
        and (one.queues is None or job.queue in one.queues)
        and one.since_ms <= job.created < one.until_ms
    )


def matches(query: JobQuery, job: Stood) -> bool:
    """Whether a job fits one of a query's alternatives."""
    return any(fits(one, job) for one in query.alternatives)


def where(pair: tuple[str, str]) -> Asked:
    """Ask for a lookup."""
    return JobQuery((Conjunction(lookups=frozenset({pair})),)), lambda job: pair in job.lookups


def in_state(states: frozenset[JobState]) -> Asked:
    """Ask for states."""
    return JobQuery((Conjunction(states=states),)), lambda job: job.state in states


def in_queue(queues: frozenset[str]) -> Asked:
    """Ask for queues."""
    return JobQuery((Conjunction(queues=queues),)), lambda job: job.queue in queues


def between(since: int, until: int) -> Asked:
    """Ask for a time."""
    return JobQuery((Conjunction(since_ms=since, until_ms=until),)), lambda job: since <= job.created < until


def both(one: Asked, other: Asked) -> Asked:
    """Ask for both."""
    return one[0] & other[0], lambda job: one[1](job) and other[1](job)


def either(one: Asked, other: Asked) -> Asked:
    """Ask for one of both."""
    return one[0] | other[0], lambda job: one[1](job) or other[1](job)


ASKED = st.recursive(
    st.one_of(
        st.builds(where, st.sampled_from(LOOKUPS)),
        st.builds(in_state, st.frozensets(st.sampled_from(STATES), min_size=1)),
        st.builds(in_queue, st.frozensets(st.sampled_from(QUEUES), min_size=1)),
        st.builds(between, st.integers(0, 9), st.integers(0, 10)),
    ),
    lambda asked: st.one_of(st.builds(both, asked, asked), st.builds(either, asked, asked)),
    max_leaves=6,
)


@given(ASKED, st.lists(JOBS, max_size=20))
def test_the_normal_form_matches_what_was_asked(asked: Asked, jobs: list[Stood]) -> None:
    """And so does what comes back from JSON, which is the same query."""
    query, wanted = asked
    again = JobQuery.from_dict(json.loads(json.dumps(query.to_dict())))
    assert again == query
    assert [matches(query, job) for job in jobs] == [wanted(job) for job in jobs]


@given(ASKED)
def test_no_alternative_covers_another(asked: Asked) -> None:
    """So no job is looked for twice, and none is looked for that cannot be."""
    found = asked[0].alternatives
    assert all(one.possible for one in found)
    assert not any(one.covers(other) for one in found for other in found if one is not other)


def test_all_jobs_and_none() -> None:
    """A query without a condition matches all; one that contradicts itself has no alternative left."""
    failed, done = (JobQuery((Conjunction(states=frozenset({state})),)) for state in (JobState.FAILED, JobState.DONE))
    assert JobQuery().alternatives == (Conjunction(),)
    assert (failed & done).alternatives == ()
    assert (JobQuery() | failed) == JobQuery()
    assert (JobQuery() & failed) == failed


def test_what_grows_without_bound_is_refused() -> None:
    """Each `&` of two ORs multiplies: a query says so before it is multiplied out, and before it is sent."""
    users = [JobQuery((Conjunction(lookups=frozenset({("user", str(n))})),)) for n in range(MOST_ALTERNATIVES + 1)]
    query = users[0]
    for one in users[1:-1]:
        query |= one
    with pytest.raises(ValidationError, match="over 64"):
        query | users[-1]
    with pytest.raises(ValidationError, match="has 4096 alternatives"):
        query & query
    with pytest.raises(ValidationError, match="over 32 lookups"):
        JobQuery((Conjunction(lookups=frozenset(("tag", str(n)) for n in range(33))),))


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {},
        {"any": 1},
        {"any": [None]},
        {"any": [{"which": 1}]},
        {"any": [{"where": "user"}]},
        {"any": [{"where": [["user"]]}]},
        {"any": [{"where": [["us\ner", "1"]]}]},
        {"any": [{"where": [["user", "1\n2"]]}]},
        {"any": [{"where": [["user", 1]]}]},
        {"any": [{"where": [["user", "1"]] * 33}]},
        {"any": [{"status": ["nice"]}]},
        {"any": [{"status": "failed"}]},
        {"any": [{"queue": ["a b"]}]},
        {"any": [{"queue": [1]}]},
        {"any": [{"since": "1"}]},
        {"any": [{"since": True}]},
        {"any": [{"until": LAST_MS + 2}]},
        {"any": [{"until": -1}]},
        {"any": [{"status": [state]} for state in ("failed", "done")] * 40},
    ],
)
def test_json_that_is_no_query_is_refused(plain: Any) -> None:
    """A bulk job carries a query through Redis, where anybody may have edited it."""
    with pytest.raises(ValidationError):
        JobQuery.from_dict(plain)
