"""The columns of a report: a pointer into the job, a word for how it ended, or a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from flows.errors import DeclarationError
from flows.service.reports.pointer import Pointer

if TYPE_CHECKING:
    from flows.service.reports.told_job import ToldJob


@dataclass(frozen=True)
class Errors:
    """A column that says in words how each job ended.

    Args:
        words: For types of errors: `{"unknown-order": "Order is unknown"}`.
        done: For jobs that are done.
        cancelled: For those that were cancelled.
        other: For errors of other types.

    Raises DeclarationError where one of them is no text.
    """

    words: Mapping[str, str]
    _: KW_ONLY
    done: str = "Success"
    cancelled: str = "Cancelled"
    other: str = "Other error"

    def __post_init__(self) -> None:
        """Check that all words are texts."""
        if not isinstance(self.words, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"Errors({self.words!r}): give a dict of types of errors and words for them")
        for text in (*self.words, *self.words.values(), self.done, self.cancelled, self.other):
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
                raise DeclarationError(f"Errors: {text!r} is no text")

    def __call__(self, job: ToldJob) -> str:
        """Return the word for a job."""
        if job.outcome == "failed":
            return self.words.get(job.error_type or "", self.other)
        return self.done if job.outcome == "done" else self.cancelled


#: A pointer into `{id, type, tenant, outcome, payload, result, error: {type, message}, created, ended}`, or what makes
#: the cell of a job: a text, a number, a truth value, None for an empty cell, or any other JSON.
Column: TypeAlias = "str | Errors | Callable[[ToldJob], object]"


class Columns:
    """The columns of a report, checked.

    Args:
        columns: By their titles, in order.

    Raises DeclarationError where there are none, or one is none of `Column`.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        if not isinstance(columns, Mapping) or not columns:  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError("columns: give at least one, such as {'Order': '/payload/order'}")
        self.titles = list(columns)
        self._cells = [_cell(title, column) for title, column in columns.items()]

    def cells(self, job: ToldJob) -> list[object]:
        """Return the cells of a job, in order."""
        document = job.as_json()
        return [cell.find(document) if isinstance(cell, Pointer) else cell(job) for cell in self._cells]


def _cell(title: object, column: object) -> Pointer | Callable[[ToldJob], object]:
    if not isinstance(title, str):
        raise DeclarationError(f"column {title!r}: a column's title is a text")
    if isinstance(column, str):
        return Pointer(column)
    if not callable(column):
        raise DeclarationError(f"column {title!r} is {column!r}: give a JSON pointer, Errors or a function of a job")
    return cast("Callable[[ToldJob], object]", column)
