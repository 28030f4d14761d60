"""Lookup values: which texts a job is listed under."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType, TypedDict
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, Field, FilePath, HttpUrl, Json, PositiveInt, PostgresDsn, SecretStr

from flows.model.values.lookup import MAX_TEXT_BYTES, is_listable, lookup_text, lookup_texts

SCALARS = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
DIGEST = re.compile(r"#sha256:[0-9a-f]{64}")


def digest(text: str) -> str:
    """Return what stands for a text that cannot stand for itself."""
    return f"#sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class Model(BaseModel):
    """A model."""


class Typed(TypedDict):
    """A typed dict, which is no class for `isinstance`."""

    text: str


class Colour(StrEnum):
    """An enum of texts."""

    RED = "red"


class Number(IntEnum):
    """An enum of numbers."""

    TWO = 2


class Shade(Enum):
    """An enum of both, and of what is not listed."""

    DARK = "dark"
    LIGHT = 2
    NONE = (1, 2)


class LoudText(str):
    """A text that shows itself in another way."""

    __slots__ = ()

    def __str__(self) -> str:
        """Shout."""
        return self.upper()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Joe", "Joe"),
        ("62", "62"),
        (62, "62"),
        (62.0, "62"),
        (-0.0, "0"),
        (0, "0"),
        (-7, "-7"),
        (1.5, "1.5"),
        (1e300, digest(str(int(1e300)))),
        (1e-7, "1e-07"),
        (10**30, "1" + "0" * 30),
        (Colour.RED, "red"),
        (Number.TWO, "2"),
        (LoudText("quiet"), "quiet"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Shade.DARK, "dark"),
        (Shade.LIGHT, "2"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00Z"),
        (datetime(2026, 1, 2, 3), "2026-01-02T03:00:00"),  # noqa: DTZ001
        (Decimal("1.50"), "1.50"),
        (HttpUrl("https://example.org/a"), "https://example.org/a"),
        (PostgresDsn("postgres://host/a"), "postgres://host/a"),
        ("a:b *?[c] {d}", "a:b *?[c] {d}"),
        ("Zoë 🦊", "Zoë 🦊"),
    ],
)
def test_plain_values_stand_as_they_are(value: Any, text: str) -> None:
    """Equality is of the text: ints in decimal, whole floats as ints, others by `repr`."""
    assert lookup_texts(value) == [text]
    assert lookup_text(value) == text


@pytest.mark.parametrize(
    "text", ["", "#", "#tag", "a\n", "\x00", "\x7f", "tab\there", "\x85", "x" * 201, "é" * 101, "#sha256:" + "0" * 64]
)
def test_texts_that_a_key_cannot_show_stand_as_their_digest(text: str) -> None:
    """Empty ones, long ones, ones with control characters, and those that look like a digest."""
    assert lookup_texts(text) == [digest(text)]


@pytest.mark.parametrize("text", ["x" * 200, "é" * 100, " ", "a#"])
def test_texts_up_to_200_bytes_stand_as_they_are(text: str) -> None:
    """The limit is of bytes."""
    assert lookup_texts(text) == [text]


def test_a_text_that_is_no_unicode_has_a_digest_or_stands_as_it_is() -> None:
    """A surrogate by itself is no reason to fail here: creation refuses what cannot be JSON."""
    assert len(lookup_texts("\ud800" * 100)) == 1


@pytest.mark.parametrize(
    "value", [True, False, None, {"a": 1}, {}, Shade.NONE, timedelta(1), b"bytes", object(), Model(), 1j]
)
def test_other_types_are_not_listed(value: Any) -> None:
    """Neither as they are nor within a list; `True` is not 1."""
    assert lookup_texts(value) == []
    assert lookup_texts([value, 1]) == ["1"]
    assert lookup_text(value) is None


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        ((3, 1), ["3", "1"]),
        ([1, "1", 1.0, True], ["1"]),
        ({5}, ["5"]),
        (frozenset({"a"}), ["a"]),
        ([], []),
        ([[1], [2]], []),
        ([None, {"a": 1}], []),
        ({UUID(int=7)}, ["00000000-0000-0000-0000-000000000007"]),
        ([Shade.DARK, "dark", Decimal(2), Shade.LIGHT], ["dark", "2"]),
    ],
)
def test_a_list_gives_one_text_for_each_distinct_element(value: Any, texts: list[str]) -> None:
    """In order, and not those of lists within it."""
    assert lookup_texts(value) == texts


def test_a_list_is_no_value_to_look_for() -> None:
    """Jobs are found by one value at a time."""
    assert lookup_text([1]) is None


@given(SCALARS)
def test_every_scalar_has_one_text_that_a_key_can_hold(value: Any) -> None:
    """It is short, has no control characters, and is never empty."""
    [text] = lookup_texts(value)
    assert 0 < len(text.encode("utf-8", "surrogatepass")) <= MAX_TEXT_BYTES
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)
    assert text[0] != "#" or DIGEST.fullmatch(text)


@given(st.lists(SCALARS))
def test_what_is_listed_can_be_found(values: list[Any]) -> None:
    """The text of each element is among those of the list, once."""
    texts = lookup_texts(values)
    assert set(texts) == {lookup_text(value) for value in values}
    assert len(texts) == len(set(texts))


@given(SCALARS, SCALARS)
def test_different_texts_never_meet(one: Any, other: Any) -> None:
    """Two values share a list only where one is the other as text."""

    def plain(value: Any) -> str:
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() else repr(value)
        return str(value)

    assert (lookup_texts(one) == lookup_texts(other)) == (plain(one) == plain(other))


@pytest.mark.parametrize(
    "declared",
    [
        str, int, float, UUID, Shade, Colour, date, datetime, Decimal, HttpUrl, PostgresDsn, UUID | None, bool | str,
        list[int], tuple[UUID, ...], set[Shade] | None, frozenset[str], Sequence[date], list, AwareDatetime,
        PositiveInt, Literal["a"] | None, Annotated[int, Field(gt=0)], NewType("UserId", int), Any, LoudText,
        Json[list[int]],
    ],
)  # fmt: skip
def test_types_that_can_be_listed(declared: Any) -> None:
    """By one of their values at least, if it is a union; also types that only pydantic knows."""
    assert is_listable(declared)


@pytest.mark.parametrize(
    "declared",
    [
        bool, None, bool | None, dict[str, int], Model, bytes, timedelta, complex, Literal[True] | None,
        list[bool], list[list[int]], Typed, list[Typed], tuple[dict[str, int], ...], SecretStr, re.Pattern[str],
        FilePath,
    ],
)  # fmt: skip
def test_types_that_can_never_be_listed(declared: Any) -> None:
    """A lookup attribute of such a type would find nothing, ever."""
    assert not is_listable(declared)
