"""`JobQuery`: which jobs an operator asks for, as a text that is the same in a terminal, a URL and a search bar.

The words are those of `flow.jobs.parse`, and more: `flow:access`, `id:…`, `error:ConnectTimeout`, `worker:host7` and
`attempt:>3`, of which `-error:…` and `-worker:…` exclude. These look at the jobs that the others have found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from flows.errors import QuerySyntaxError, ValidationError
from flows.model.find.conditions import ATTEMPT, CONDITIONS, Condition
from flows.model.find.query_words import OR, Word, words_of
from flows.model.names import is_job_id

#: The words that are not those of the flow's own queries.
_MORE: Final = frozenset({"flow", "id", *CONDITIONS})
_EXCLUDING: Final = frozenset({"error", "worker"})
_LONGEST: Final = 4000
#: A query names so many ids at most.
MOST_IDS: Final = 100


@dataclass(frozen=True)
class JobQuery:
    """A query on the jobs of one flow; made by `parse`."""

    text: str
    """As it was given."""
    flow: str | None
    """The flow that it names."""
    asked: str
    """What the flow's own queries understand of it, at the same places of the text."""
    ids: tuple[str, ...] = ()
    """Only these jobs; empty for any."""
    conditions: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str, flow: str | None = None) -> JobQuery:
        """Return the query that a text stands for; what its flow has to know of it is checked when it is asked.

        Args:
            text: Words `name:value` that all have to hold; `|` between values, and `or` between alternatives.
            flow: The flow, where the text does not name it.

        Raises:
            QuerySyntaxError: the text is none of a query; it says where.
        """
        if len(text) > _LONGEST:
            raise QuerySyntaxError(text, _LONGEST, f"a query has up to {_LONGEST:,} characters")
        words = list(words_of(text))
        ends = [*(word.at for word in words[1:]), len(text)][: len(words)]
        plain, mine = list(text), [word for word in words if word.name in _MORE and not word.quoted]
        for word, end in zip(words, ends, strict=True):
            if word in mine:
                plain[word.at : end] = " " * (end - word.at)
        joined = next((word for word in words if word.alone and word.name == OR), None)
        conditions = [word for word in mine if word.name not in {"flow", "id"}]
        if joined is not None and len(mine) > sum(word.name == "flow" for word in mine):
            raise QuerySyntaxError(
                text, joined.at, "error:, worker:, attempt: and id: hold for all of it: leave out `or`"
            )
        for word in mine:
            _check(text, word)
        named = {value.text for word in mine if word.name == "flow" for value in word.values} | {flow or ""}
        named.discard("")
        if len(named) > 1:
            raise ValidationError(f"a query is of one flow, and this one names {', '.join(sorted(named))}")
        ids = tuple(value.text.lower() for word in mine if word.name == "id" for value in word.values)
        return cls(text, next(iter(named), None), "".join(plain), ids, tuple(map(_condition, conditions)))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let params be given as a text, or as a query that was parsed."""
        of_text = core_schema.no_info_after_validator_function(_parsed, core_schema.str_schema(max_length=_LONGEST))
        # No union: it would tell of a text that it is no instance, beside what is wrong with it.
        return core_schema.json_or_python_schema(
            json_schema=of_text,
            python_schema=core_schema.no_info_wrap_validator_function(
                lambda given, read: given if isinstance(given, cls) else read(given), of_text
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )


def _parsed(text: str) -> JobQuery:
    return JobQuery.parse(text)


def _check(text: str, word: Word) -> None:
    if word.negated and word.name not in _EXCLUDING:
        raise QuerySyntaxError(text, word.at, "only a state, an error or a worker can be excluded")
    for value in word.values:
        if word.name == "id" and not is_job_id(value.text):
            raise QuerySyntaxError(text, value.at, "that is no id of a job: those are UUIDs")
        if word.name == "attempt" and not ATTEMPT.fullmatch(value.text):
            raise QuerySyntaxError(text, value.at, "give a number, such as 3, >3 or <=3")
    if word.name == "id" and len(word.values) > MOST_IDS:
        raise QuerySyntaxError(text, word.at, f"name up to {MOST_IDS} ids")


def _condition(word: Word) -> Condition:
    return Condition(word.name, tuple(value.text for value in word.values), word.negated)


#: The query that asks for all jobs of a flow.
ALL_JOBS: Final = JobQuery.parse("")
