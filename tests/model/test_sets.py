"""Equal params have equal texts: sets are written in the order of the texts of their elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel, field_serializer

from flows.model.codec import decode, encode
from flows.model.values.sets import sorted_sets

#: Two orders of one set: numbers of the same hash keep the order in which they came.
MANY = 2**61 - 1
ONE, OTHER = set([0, MANY]), set([MANY, 0])  # noqa: C405 - a literal has an order of its own


class Inner(BaseModel):
    """A model in a model."""

    ids: frozenset[int] = frozenset()


class Root(RootModel[set[int]]):
    """A model that is a set."""


@dataclass
class Plain:
    """A dataclass in a model."""

    ids: set[int]


class Given(BaseModel):
    """Sets wherever they can stand."""

    ids: set[int] = set()
    texts: frozenset[str] = frozenset()
    many: list[set[int]] = []
    pairs: set[tuple[int, str]] = set()
    by_name: dict[str, set[int]] = {}
    inner: Inner = Inner()
    inners: list[Inner] = []
    root: Root = Root(set())
    plain: Plain = Plain(set())
    sets: set[frozenset[int]] = set()
    anything: Any = None


def filled(ids: set[int]) -> Given:
    """Return params that have one set everywhere."""
    return Given(
        ids=ids, many=[ids, set()], by_name={"b": ids, "a": set()}, inner=Inner(ids=frozenset(ids)),
        inners=[Inner(ids=frozenset(ids))], root=Root(ids), plain=Plain(ids), sets={frozenset(ids)},
    )  # fmt: skip


def test_two_orders_of_a_set_are_one_text() -> None:
    """Wherever the set stands; what comes back is equal."""
    assert [*ONE] != [*OTHER], "the interpreter gives both the same order, and this proves nothing"
    one, other = encode(filled(ONE)), encode(filled(OTHER))
    assert one == other
    assert one["ids"] == b"[0,2305843009213693951]"
    assert one["by_name"] == b'{"b":[0,2305843009213693951],"a":[]}'
    assert decode(Given, one) == filled(ONE)


def test_lists_and_dicts_keep_their_order() -> None:
    """It is part of what they say."""
    fields = encode(Given(many=[{2}, {1}], anything={"b": [2, 1], "a": 3}))
    assert fields["many"] == b"[[2],[1]]"
    assert fields["anything"] == b'{"b":[2,1],"a":3}'


def test_what_a_serializer_reshapes_stays_as_it_wrote_it() -> None:
    """A set that is written as something else has no order of ours."""

    class Reshaped(BaseModel):
        tags: set[str]

        @field_serializer("tags")
        def _write(self, tags: set[str]) -> str:
            return ",".join(sorted(tags))

    assert sorted_sets(Reshaped(tags={"b", "a"}), {"tags": "a,b"}) == {"tags": "a,b"}
    assert sorted_sets({1, 2}, [3]) == [3]
    assert sorted_sets({"a": {2, 1}}, {"a": [2, 1], "b": []}) == {"a": [2, 1], "b": []}
    assert sorted_sets("abc", ["a", "b"]) == ["a", "b"]


@given(st.lists(st.text(max_size=5), unique=True), st.randoms())
def test_equal_sets_of_texts_are_equal_texts(texts: list[str], random: Any) -> None:
    """In whatever order they were filled."""
    shuffled = random.sample(texts, len(texts))
    assert encode(Given(texts=frozenset(texts))) == encode(Given(texts=frozenset(shuffled)))
