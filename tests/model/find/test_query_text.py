"""Queries as texts: a text and its query stand for each other, and what is wrong is named by where it stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import QuerySyntaxError, ValidationError
from flows.model.find.conjunction import LAST_MS, Conjunction
from flows.model.find.query import JobQuery
from flows.model.find.query_text import Known
from flows.model.state import JobState
from flows.model.values.lookup import lookup_text

NOW = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
NOW_MS = 1_795_802_400_000
KNOWN = Known(["user_id", "tags", "queue"], ["price", "ship", "ship:box"], NOW)

#: Names and texts of all kinds: those that are words of a query too, and what nobody would write on purpose.
NAMES = st.one_of(
    st.sampled_from(["state", "status", "queue", "since", "or", "none", "error", "flow", "user_id", "-x", "a.b-c"]),
    st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
)
PLAIN = st.sampled_from(["62", "or", "-1", "a:b", "a|b", 'a"b', "a b", "\u202e", "#x", "#", "x#y", "@5", "", "\\", "ö"])
TEXTS = st.one_of(
    PLAIN.filter(bool),
    st.one_of(PLAIN, st.text(max_size=250)).map(lambda text: lookup_text(text) or ""),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=20),
)
TIMES = st.one_of(st.integers(0, LAST_MS + 1), st.integers(NOW_MS - 10_000, NOW_MS + 10_000))
ALTERNATIVES = st.builds(
    Conjunction,
    st.frozensets(st.tuples(NAMES, TEXTS), max_size=4),
    st.none() | st.frozensets(st.sampled_from(JobState), min_size=1),
    st.none() | st.frozensets(st.sampled_from(["price", "ship:box", "-q", "a.b"]), min_size=1),
    st.just(0) | TIMES,
    st.just(LAST_MS + 1) | TIMES,
)
QUERIES = st.lists(ALTERNATIVES, max_size=5).map(lambda found: JobQuery(tuple(found)))


@given(QUERIES)
def test_the_text_of_a_query_stands_for_it(query: JobQuery) -> None:
    """Whatever it asks for, and however its attributes and values are called."""
    text = str(query)
    assert JobQuery.parse(text) == query
    assert str(JobQuery.parse(text)) == text
    assert "\n" not in text


def asked(text: str) -> JobQuery:
    """Return the query that a text stands for, by the flow of these tests."""
    return JobQuery.parse(text, KNOWN)


def only(**conditions: object) -> JobQuery:
    """Return a query of one alternative."""
    return JobQuery((Conjunction(**conditions),))  # type: ignore[arg-type]


def where(*pairs: tuple[str, str]) -> JobQuery:
    """Return a query on lookups that hold together."""
    return only(lookups=frozenset(pairs))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", JobQuery()),
        (" \n ", JobQuery()),
        ("none", JobQuery(())),
        ("user_id:62", where(("user_id", "62"))),
        (" user_id:62\ttags:a  tags:b ", where(("user_id", "62"), ("tags", "a"), ("tags", "b"))),
        ("user_id:-5", where(("user_id", "-5"))),
        ("user_id:62|63", where(("user_id", "62")) | where(("user_id", "63"))),
        ("user_id:62|63 tags:a", (where(("user_id", "62")) | where(("user_id", "63"))) & where(("tags", "a"))),
        ("user_id:62 or tags:a OR tags:b", where(("user_id", "62")) | where(("tags", "a")) | where(("tags", "b"))),
        ("tags:or", where(("tags", "or"))),
        ('tags:"a \\"b\\" | c"', where(("tags", 'a "b" | c'))),
        ('tags:""', where(("tags", lookup_text("") or ""))),
        ("tags:#sha256:ab", where(("tags", "#sha256:ab"))),
        ('tags:"#sha256:ab"', where(("tags", lookup_text("#sha256:ab") or ""))),
        ('"queue":62', where(("queue", "62"))),
        ("queue:price|ship:box", only(queues=frozenset({"price", "ship:box"}))),
        ("state:failed|cancelled", only(states=frozenset({JobState.FAILED, JobState.CANCELLED}))),
        ("status:done", only(states=frozenset({JobState.DONE}))),
        ("-state:done|failed", only(states=frozenset(JobState) - {JobState.DONE, JobState.FAILED})),
        ("state:failed state:done", JobQuery(())),
        ("since:1h", only(since_ms=NOW_MS - 3_600_000)),
        ("until:90s", only(until_ms=NOW_MS - 90_000)),
        ("since:2026-11-27T18:00:00Z", only(since_ms=NOW_MS)),
        ("since:2026-11-27T20:00:00.001+02:00", only(since_ms=NOW_MS + 1)),
        ("since:2026-11-27", only(since_ms=NOW_MS - 18 * 3_600_000)),
        ("since:999999999w", JobQuery()),
        ("until:@281474976710655", only(until_ms=LAST_MS)),
        ("since:2w since:1d", only(since_ms=NOW_MS - 86_400_000)),
    ],
)
def test_what_texts_mean(text: str, query: JobQuery) -> None:
    """As people write them."""
    assert asked(text) == query


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("user:62", 0, "has no lookup attribute 'user'; it has user_id, tags, queue"),
        ("state:failed  user", 18, "'user' has no value: write its name before it, as in user_id:user, or user:value"),
        ("user_id:", 8, "a value is missing"),
        ("user_id:62|", 11, "a value is missing"),
        ("user_id: 62", 8, "a value is missing"),
        ("ümlaut:1", 0, "a word is a name"),
        ('user_id:a"b"', 9, "does not belong here"),
        ('user_id:"a"b', 11, "does not belong here"),
        ('user_id:"a', 8, "has no end"),
        ('user_id:"\\x"', 8, "is JSON"),
        ("user_id:#" + "x" * 700, 8, "no list is called so"),
        ("state:ended", 6, "'ended' is no state: name some of waiting, "),
        ("state:failed|Done", 13, "'Done' is no state"),
        ("queue:pack", 6, "there is no queue 'pack': the flow has price, ship, ship:box"),
        ("-user_id:62", 0, "only a state can be excluded"),
        ("error:Timeout", 0, "no query asks for error:"),
        ("since:yesterday", 6, "give one time"),
        ("since:2026-11-27T18:00:00", 6, "with a zone"),
        ("since:1h|2h", 6, "give one time"),
        ("since:1h until:2h", 9, "`since` has to be before `until`"),
        ("or tags:a", 0, "nothing stands before"),
        ("tags:a or", 9, "nothing stands behind"),
        ("tags:a or or tags:b", 10, "nothing stands before"),
        ("tags:a none", 7, "stands alone"),
        (" ".join(f"tags:{word}|x|y|z" for word in "abcdef"), 52, "over 512 alternatives"),
    ],
)
def test_what_is_wrong_is_named_by_where_it_stands(text: str, at: int, says: str) -> None:
    """The position counts from 0, the message from 1."""
    with pytest.raises(QuerySyntaxError) as caught:
        asked(text)
    assert (caught.value.position, says in str(caught.value)) == (at, True), str(caught.value)
    assert str(caught.value).startswith(f"character {at + 1} of the query, at ")
    assert caught.value.text == text


@given(st.text(st.sampled_from(' :|-"\\#oruserid_62state@\n'), max_size=40))
def test_any_text_is_a_query_or_a_typed_error(text: str) -> None:
    """And what is one has the same meaning when it is written again."""
    try:
        query = JobQuery.parse(text)
    except QuerySyntaxError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - of whichever text
    else:
        assert JobQuery.parse(str(query)) == query


def test_what_is_no_text_is_refused() -> None:
    """And so is a query that is too large: by its alternatives, as any is."""
    with pytest.raises(ValidationError, match="is no text of a query"):
        JobQuery.parse(None)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="has 70 alternatives"):
        JobQuery.parse("|".join(["tags:0", *map(str, range(1, 70))]))
