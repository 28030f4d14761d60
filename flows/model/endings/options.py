"""The log of the jobs of a flow that have ended, as it is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flows.errors import DeclarationError
from flows.model.names import FIELD
from flows.model.option_checks import check_list, check_number

#: What entries and reports have of their own: no copied field is called so.
OWN_FIELDS: Final = frozenset({"id", "job", "outcome", "ended", "error"})
#: So many fields are copied at most.
MOST_FIELDS: Final = 8
_LONGEST_DAYS: Final = 36_525


@dataclass(frozen=True)
class Endings:
    """The log of the jobs of a flow that have ended: what has happened, by day, longer than their hashes stay.

    Args:
        days: For how many days an ending is kept.
        most: How many endings of each kind (done, failed, cancelled, each type of error) are kept at most, about.
        fields: Fields of the jobs that the log copies, up to 8: those by which endings are looked for. Of a value over
            256 bytes of JSON nothing is copied.
    """

    days: int = 30
    most: int = 1_000_000
    fields: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check the numbers and the names.

        Raises:
            DeclarationError: one cannot be used.
        """
        check_number("endings: days", self.days)
        check_number("endings: most", self.most)
        if self.days > _LONGEST_DAYS:
            raise DeclarationError(f"endings: days={self.days}: give at most {_LONGEST_DAYS:,}")
        check_fields(self.fields)


def check_fields(fields: Sequence[str]) -> None:
    """Check the fields that entries of the log copy.

    Raises:
        DeclarationError: one is no field name, or is an entry's own, or stands there twice, or there are too many.
    """
    check_list("endings: fields", fields)
    for name in fields:
        if not isinstance(name, str) or not FIELD.fullmatch(name) or list(fields).count(name) > 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"endings: the field {name!r:.80} is no field name, or is named twice")
        if name in OWN_FIELDS:
            raise DeclarationError(f"endings: an ending has {name!r} of its own: name another field")
    if len(fields) > MOST_FIELDS:
        raise DeclarationError(f"endings: {len(fields)} fields: name at most {MOST_FIELDS}")
