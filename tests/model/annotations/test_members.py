"""Annotations as Python allows them: what each of them stands for."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, Never, NewType, TypeVar

import pytest
from typing_extensions import TypeAliasType

from flows import Job
from flows.model.annotations.declarer import names_beside
from flows.model.annotations.members import literals, members, plain, resolved


class First(Job):
    """A job class."""


class Second(Job):
    """Another."""


T = TypeVar("T")
Bound = TypeVar("Bound", bound=First | Second)
One = TypeVar("One", First, Second)
Alias = TypeAliasType("Alias", First | Second)
Missing = TypeAliasType("Missing", "NotThere")  # type: ignore[name-defined]  # noqa: F821
Known = NewType("Known", First)


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        (First, (First,)),
        (First | Second, (First, Second)),
        (First | None, (First, type(None))),
        (Annotated[First, "note"], (First,)),
        (Annotated[First | Annotated[Second, 1], "note"], (First, Second)),
        (Alias, (First, Second)),
        (Alias | None, (First, Second, type(None))),
        (Known, (First,)),
        (Bound, (First, Second)),
        (One, (First, Second)),
        (T, (Any,)),
        (Any, (Any,)),
    ],
)
def test_the_members_of_an_annotation(annotation: Any, found: tuple[Any, ...]) -> None:
    """Unions are flattened; aliases, `NewType`, `Annotated` and type variables stand for what is behind them."""
    assert members(annotation) == found


def test_an_alias_that_has_no_end_or_no_value_says_nothing() -> None:
    """Python allows both, as long as nobody looks at the value."""
    endless: dict[str, Any] = {}

    class Endless:
        __value__: Any

    endless["it"] = Endless()
    other = Endless()
    other.__value__ = endless["it"]
    endless["it"].__value__ = other

    class Broken:
        @property
        def __value__(self) -> Any:
            raise NameError("NotThere")

    assert plain(endless["it"]) is Any
    assert plain(Broken()) is Any


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the `type` statement came with 3.12")
def test_type_statements_are_aliases() -> None:
    """Their values are looked up only when they are asked for, and generic ones have theirs on their origin."""
    names: dict[str, Any] = {"First": First, "Second": Second}
    exec("type Both = First | Second\ntype Maybe[T] = T | None\ntype Lost = NotThere", names)  # noqa: S102
    assert members(names["Both"]) == (First, Second)
    assert members(names["Maybe"][First]) == (Any, type(None))
    assert plain(names["Lost"]) is Any


def test_names_in_quotes_are_found_among_the_names_given() -> None:
    """Each annotation by itself: one that cannot be resolved says nothing."""
    assert resolved("First | None", {"First": First}) == First | None
    assert resolved("NotThere", {"First": First}) is Any
    assert resolved(list["NotThere"], {}) is Any  # type: ignore[name-defined]  # noqa: F821


def test_the_values_of_literals() -> None:
    """Also through a union or an alias; a type variable and `Never` have none."""
    assert literals(Literal["a", "b"]) == ("a", "b")
    assert literals(TypeAliasType("Keys", Literal["a"] | Literal["b"])) == ("a", "b")  # noqa: PYI030
    assert literals(Never) == literals(T) == ()


def test_local_names_count_for_what_was_defined_beside_them() -> None:
    """A name that is local elsewhere is another thing."""
    local = 7

    def beside() -> int:
        return local

    assert names_beside(beside.__code__)["local"] == 7
    assert names_beside(test_the_values_of_literals.__code__) == {}
