"""How much the updates of jobs matter, and which of them are kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from flows.errors import DeclarationError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How much an update matters, the most first.
Level: TypeAlias = Literal["error", "info", "debug", "trace"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
#: Which are kept where nothing is said, and beside those that a variable of the environment names.
_KEPT: Final[frozenset[Level]] = frozenset({"error", "info"})
#: Our variable, and that of OADA jobs.
_VARIABLES: Final = ("FLOWS_JOB_LOGGING", "OADA_JOBS_LOGGING")


def check_level(level: Level) -> Level:
    """Return a level.

    Raises:
        ValidationError: there is no such level.
    """
    if level not in LEVELS:
        raise ValidationError(f"level={level!r:.80}: give one of {', '.join(LEVELS)}")
    return level


def kept_levels(given: Iterable[Level] | None) -> frozenset[Level]:
    """Return which levels are kept: what an option says, else what the environment adds to `error` and `info`.

    Raises:
        DeclarationError: there is no such level.
    """
    if given is not None:
        return frozenset(_checked("log_levels", [given] if isinstance(given, str) else given))
    named = next(((name, text) for name in _VARIABLES if (text := os.environ.get(name))), None)
    if named is None:
        return _KEPT
    return _KEPT.union(_checked(named[0], [word.strip() for word in named[1].split(",") if word.strip()]))


def _checked(what: str, words: Iterable[object]) -> list[Level]:
    checked: list[Level] = []
    for word in words:
        level: Level | None = next((one for one in LEVELS if one == word), None)
        if level is None:
            raise DeclarationError(f"{what}: there is no level {word!r:.80}: name some of {', '.join(LEVELS)}")
        checked.append(level)
    return checked
