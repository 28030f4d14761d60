"""A query as a text, `user_id:62 state:failed|cancelled since:1h or user_id:63`, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from flows.errors import QuerySyntaxError
from flows.model.find.conjunction import LAST_MS, LONGEST, Conjunction, is_queue
from flows.model.find.query_times import read_time, write_time
from flows.model.find.query_words import NONE, OR, Value, Word, words_of, write_name, write_value
from flows.model.state import JobState
from flows.model.values.lookup import lookup_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: Words that are none yet: an attribute that is called so has quotation marks, so its queries keep their meaning.
_TO_COME: Final = frozenset({"flow", "id", "error", "worker", "attempt", "priority", "group", "created", "path"})
#: A text stands for so many alternatives at most while it is read.
_MOST: Final = 512


@dataclass(frozen=True, slots=True)
class Known:
    """What a text may name."""

    attributes: Sequence[str] | None = None
    """The lookup attributes; None: whatever it names."""
    queues: Sequence[str] | None = None
    """The queues, by full name; None: whatever it names."""
    now: datetime | None = None
    """From when `since:1h` counts; None: the time by this machine."""


#: Whatever it names.
ANYTHING: Final = Known()


def write_query(alternatives: Iterable[Conjunction]) -> str:
    """Return the text of a query; `read_query` makes the same alternatives of it."""
    texts = [" ".join(_written(one)) for one in alternatives]
    return f" {OR} ".join(texts) if texts else NONE


def read_query(text: str, known: Known) -> tuple[Conjunction, ...]:
    """Return the alternatives that a text stands for; without a word, that is one without conditions.

    Raises:
        QuerySyntaxError: the text is none of a query, or names what is not known.
    """
    groups: list[list[Word]] = [[]]
    for word in words_of(text):
        if not word.alone:
            groups[-1].append(word)
        elif word.name == OR:
            if not groups[-1]:
                raise QuerySyntaxError(text, word.at, f"nothing stands before this `{OR}`")
            groups.append([])
        elif text.strip().lower() == NONE:
            return ()
        else:
            raise QuerySyntaxError(text, word.at, f"`{NONE}` stands for no job, and stands alone")
    if not groups[-1] and len(groups) > 1:
        raise QuerySyntaxError(text, len(text), f"nothing stands behind the last `{OR}`")
    reader = _Reader(text, known, known.now or datetime.now(UTC))
    found: list[Conjunction] = []
    for words in groups:
        found += reader.joined(words, _MOST - len(found))
    return tuple(found)


def _written(one: Conjunction) -> Iterable[str]:
    for attribute, text in sorted(one.lookups):
        yield f"{write_name(attribute, _TAKEN)}:{write_value(text, raw=lookup_text(text) != text)}"
    if one.states is not None:
        yield f"state:{'|'.join(sorted(one.states))}"
    if one.queues is not None:
        yield f"queue:{'|'.join(map(write_value, sorted(one.queues)))}"
    if one.since_ms > 0:
        yield f"since:{write_time(one.since_ms)}"
    if one.until_ms <= LAST_MS:
        yield f"until:{write_time(one.until_ms)}"


class _Reader:
    """Makes conditions of words."""

    def __init__(self, text: str, known: Known, now: datetime) -> None:
        self._text = text
        self._known = known
        self._now = now

    def joined(self, words: Sequence[Word], most: int) -> list[Conjunction]:
        """Return the alternatives that words which hold together stand for: more than one where a lookup has values."""
        found = [Conjunction()]
        for word in words:
            one_of = self._one_of(word)
            if len(found) * len(one_of) > most:
                raise self._error(word, f"multiplied out, the query has over {_MOST} alternatives up to here")
            found = [one & other for one in found for other in one_of]
            if found[0].since_ms >= found[0].until_ms:
                raise self._error(word, "`since` has to be before `until`")
        return found

    def _one_of(self, word: Word) -> list[Conjunction]:
        read = None if word.quoted else _WORDS.get(word.name)
        if word.negated and read is not _Reader.states:
            raise self._error(word, "only a state can be excluded, as in -state:done: name what is asked for instead")
        if read is not None:
            return [read(self, word)]
        if word.name in _TO_COME and not word.quoted:
            known = ", ".join(f"{name}:" for name in _WORDS)
            raise self._error(
                word,
                f'no query asks for {word.name}: (it has {known}); a lookup attribute of that name is "{word.name}":',
            )
        attributes = self._known.attributes
        if attributes is not None and word.name not in attributes:
            has = f"it has {', '.join(attributes)}" if attributes else "it has none"
            raise self._error(word, f"the flow has no lookup attribute {word.name!r}; {has}")
        texts = dict.fromkeys(self._lookup(value) for value in word.values)
        return [Conjunction(lookups=frozenset({(word.name, text)})) for text in texts]

    def _lookup(self, value: Value) -> str:
        text = value.text if value.raw else lookup_text(value.text) or ""
        if not text or len(text) > LONGEST or "\n" in text:
            raise self._error(value, f"no list is called so: give the value, without #, or up to {LONGEST} characters")
        return text

    def states(self, word: Word) -> Conjunction:
        """Return what asks for states, or for all but these."""
        states = {state.value: state for state in JobState}
        for value in word.values:
            if value.text not in states:
                raise self._error(value, f"{value.text!r} is no state: name some of {', '.join(states)}")
        named = frozenset(states[value.text] for value in word.values)
        return Conjunction(states=frozenset(JobState) - named if word.negated else named)

    def queues(self, word: Word) -> Conjunction:
        """Return what asks for queues."""
        queues = self._known.queues
        for value in word.values:
            if not is_queue(value.text) or (queues is not None and value.text not in queues):
                has = f"the flow has {', '.join(queues)}" if queues else "give the full name of a queue"
                raise self._error(value, f"there is no queue {value.text!r}: {has}")
        return Conjunction(queues=frozenset(value.text for value in word.values))

    def since(self, word: Word) -> Conjunction:
        """Return what asks for jobs that were created then or later."""
        return Conjunction(since_ms=self._time(word))

    def until(self, word: Word) -> Conjunction:
        """Return what asks for jobs that were created before."""
        return Conjunction(until_ms=self._time(word))

    def _time(self, word: Word) -> int:
        [value, *more] = word.values
        ms = read_time(value.text, self._now)
        if more or ms is None:
            raise self._error(
                value,
                "give one time: 1h (ago; s, m, h, d, w), 2026-11-27 (in UTC) or 2026-11-27T17:40:00Z, with a zone",
            )
        return ms

    def _error(self, where: Word | Value, message: str) -> QuerySyntaxError:
        return QuerySyntaxError(self._text, where.at, message)


#: What each word means that is no lookup attribute; `status` is the same as `state`.
_WORDS: Final[Mapping[str, Callable[[_Reader, Word], Any]]] = {
    "state": _Reader.states,
    "status": _Reader.states,
    "queue": _Reader.queues,
    "since": _Reader.since,
    "until": _Reader.until,
}
_TAKEN: Final = frozenset({*_WORDS, *_TO_COME, OR, NONE})
