"""A query on the jobs of one flow: alternatives, each of conditions that hold together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from flows.errors import ValidationError
from flows.model.find.conjunction import MOST_LOOKUPS, Conjunction, is_list
from flows.model.find.query_text import ANYTHING, Known, read_query, write_query
from flows.model.state import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A query has so many alternatives at most, when it is multiplied out.
MOST_ALTERNATIVES: Final = 64
#: So many are compared with each other while it is multiplied out.
_MOST_PRODUCTS: Final = 512


@dataclass(frozen=True, slots=True)
class JobQuery:
    """A query in its normal form, an OR of ANDs: a job matches that fits one of `alternatives`.

    None of them covers another, and none is impossible; without any, no job matches.

    Raises ValidationError where it has over 64 alternatives, or one of them over 32 lookups.
    """

    alternatives: tuple[Conjunction, ...] = (Conjunction(),)

    def __post_init__(self) -> None:
        kept = _least(self.alternatives)
        if len(kept) > MOST_ALTERNATIVES:
            raise _too_many(len(kept))
        if any(len(one.lookups) > MOST_LOOKUPS for one in kept):
            raise ValidationError(f"this query asks for over {MOST_LOOKUPS} lookups at once: ask for fewer")
        object.__setattr__(self, "alternatives", kept)

    @property
    def of_ended(self) -> bool:
        """Whether it asks for ended jobs, by their state and by no lookup: those are listed by when they ended."""
        return all(not one.lookups and one.states is not None and one.states <= TERMINAL for one in self.alternatives)

    def __and__(self, other: JobQuery) -> JobQuery:
        """Return the query that a job matches where it matches both.

        Raises:
            ValidationError: it has too many alternatives.
        """
        product = len(self.alternatives) * len(other.alternatives)
        if product > _MOST_PRODUCTS:
            raise _too_many(product)
        return JobQuery(tuple(one & two for one in self.alternatives for two in other.alternatives))

    def __or__(self, other: JobQuery) -> JobQuery:
        """Return the query that a job matches where it matches one of both.

        Raises:
            ValidationError: it has too many alternatives.
        """
        return JobQuery(self.alternatives + other.alternatives)

    def __str__(self) -> str:
        """Return the query as a text: `parse` makes the same query of it."""
        return write_query(self.alternatives)

    @classmethod
    def parse(cls, text: str, known: Known = ANYTHING) -> JobQuery:
        """Return the query that a text stands for: `user_id:62 state:failed|cancelled since:1h or user_id:63`.

        Args:
            text: Words `name:value`, which all have to hold; `|` between values, and `or` between alternatives. Names
                are `state`, `queue`, `since`, `until` and lookup attributes. Without a word, all jobs match.
            known: What the text may name.

        Raises:
            QuerySyntaxError: the text is none of a query, or names what is not known; it says where.
            ValidationError: the query is too large.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"{text!r} is no text of a query: give a str")
        return cls(read_query(text, known))

    def to_dict(self) -> dict[str, Any]:
        """Return the query as plain JSON: names, texts and numbers, for whoever carries it to another process."""
        return {"any": [one.to_dict() for one in self.alternatives]}

    @classmethod
    def from_dict(cls, plain: Any) -> JobQuery:
        """Return the query that `to_dict` has written.

        Raises:
            ValidationError: it is nothing of that kind.
        """
        given = cast("dict[str, Any]", plain) if isinstance(plain, dict) else {}
        alternatives = given["any"] if given.keys() == {"any"} else None
        if not is_list(alternatives):
            raise ValidationError("a query in JSON is an object with the list `any`, as to_dict writes it")
        if len(alternatives) > MOST_ALTERNATIVES:
            raise _too_many(len(alternatives))
        return cls(tuple(map(Conjunction.from_dict, alternatives)))


def _least(alternatives: Iterable[Conjunction]) -> tuple[Conjunction, ...]:
    """Return the alternatives that can match, without those that another one covers, in their order."""
    kept: list[Conjunction] = []
    for one in alternatives:
        if one.possible and not any(other.covers(one) for other in kept):
            kept = [other for other in kept if not one.covers(other)]
            kept.append(one)
    return tuple(kept)


def _too_many(count: int) -> ValidationError:
    return ValidationError(
        f"this query has {count} alternatives when it is multiplied out, over {MOST_ALTERNATIVES}: ask for fewer, or "
        "in several queries"
    )
