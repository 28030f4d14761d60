"""The words of a query's text: `name:value|value`, each with where it stands."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.errors import QuerySyntaxError
from flows.model.names import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What stands between two alternatives, and what stands for a query that no job matches.
OR: Final = "or"
NONE: Final = "none"

_SPACE: Final = re.compile(r"\s*")
#: A name or a value without quotation marks.
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_PLAIN: Final = re.compile(r'[^\s|"]+')
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ALONE: Final = re.compile(rf"(?:{OR}|{NONE})(?=\s|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a word."""

    at: int
    text: str
    raw: bool
    """Whether it is the text of a lookup list, as it is: it began with `#`."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `-state:failed|cancelled`; or one that stands alone, without values."""

    at: int
    name: str
    quoted: bool = False
    """Whether its name had quotation marks: then it is a lookup attribute, whatever it is called."""
    negated: bool = False
    values: tuple[Value, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether it is `or` or `none`."""
        return not self.values


def words_of(text: str) -> Iterator[Word]:
    """Yield the words of a text.

    Raises:
        QuerySyntaxError: it is not made of such words.
    """
    at = _after_space(text, 0)
    while at < len(text):
        alone = _ALONE.match(text, at)
        if alone:
            yield Word(at, alone[0].lower())
            at = alone.end()
        else:
            word, at = _word(text, at)
            yield word
        if at < len(text) and not text[at].isspace():
            raise QuerySyntaxError(
                text, at, f"{text[at]!r} does not belong here: put the whole value between quotation marks"
            )
        at = _after_space(text, at)


def write_name(name: str, known: frozenset[str]) -> str:
    """Return a lookup attribute as it stands in a text; `known` are the words that mean something else."""
    plain = _PLAIN_NAME.fullmatch(name) and name not in known
    return name if plain else json.dumps(name)


def write_value(text: str, *, raw: bool = False) -> str:
    """Return a value as it stands in a text."""
    if _PLAIN.fullmatch(text) and text.isprintable() and text.startswith("#") == raw:
        return text
    return f"{'#' if raw else ''}{json.dumps(text, ensure_ascii=not text.isprintable())}"


def _word(text: str, begin: int) -> tuple[Word, int]:
    negated = text[begin] == "-"
    at = begin + negated
    quoted = text.startswith('"', at)
    if quoted:
        name, at = _quoted(text, at)
    else:
        found = _PLAIN_NAME.match(text, at)
        name, at = (found[0], found.end()) if found else ("", at)
    if not NAME.fullmatch(name):
        raise QuerySyntaxError(text, begin, "a word is a name of up to 64 letters, digits, _, . and -, and then :value")
    if not text.startswith(":", at):
        raise QuerySyntaxError(
            text, at, f"{name!r} has no value: write its name before it, as in user_id:{name}, or {name}:value"
        )
    values: list[Value] = []
    while not values or text.startswith("|", at):
        value, at = _value(text, at + 1)
        values.append(value)
    return Word(begin, name, quoted, negated, tuple(values)), at


def _value(text: str, begin: int) -> tuple[Value, int]:
    raw = text.startswith("#", begin)
    at = begin + raw
    if text.startswith('"', at):
        value, at = _quoted(text, at)
        return Value(begin, value, raw), at
    found = _PLAIN.match(text, begin)
    if not found:
        raise QuerySyntaxError(text, begin, 'a value is missing: one that is empty, or begins with | or ", is quoted')
    return Value(begin, found[0], raw), found.end()


def _quoted(text: str, at: int) -> tuple[str, int]:
    found = _QUOTED.match(text, at)
    if not found:
        raise QuerySyntaxError(text, at, "this quotation mark has no end")
    try:
        value: str = json.loads(found[0])
    except ValueError as error:
        raise QuerySyntaxError(text, at, 'within quotation marks, a text is JSON: write \\" and \\\\') from error
    return value, found.end()


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
