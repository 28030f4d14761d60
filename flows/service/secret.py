"""`Secret`: a token or password that is shown nowhere, and `reveal`, which reads one where it is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NoReturn

from flows.errors import DeclarationError

_HIDDEN: Final = "***"
#: A file of a secret holds one line: what is longer is another file.
_LONGEST: Final = 65_536


class Secret:
    """A token or password: `repr`, logs and messages show `***`, and it cannot be pickled.

    Args:
        value: The text itself, or where it stands: `env:NAME` is an environment variable, `file:PATH` a file's text
            without the newline at its end. What is named so is read at each use, so it may be changed meanwhile.

    Raises DeclarationError where it is no text, or empty.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not value:  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError("a secret is a text that is not empty, or env:NAME, or file:PATH")
        self._value = value

    def reveal(self) -> str:
        """Return the text itself.

        Raises:
            DeclarationError: the variable is not set, or the file cannot be read, or holds nothing; the message has
                no part of a secret.
        """
        kind, colon, place = self._value.partition(":")
        if colon and kind == "env":
            return _some(os.environ.get(place, ""), f"the environment variable {place} is not set, or empty")
        if colon and kind == "file":
            return _some(_read(place), f"the file {place} holds no secret: one line of text")
        return self._value

    @property
    def reference(self) -> str | None:
        """Where it stands, `env:NAME` or `file:PATH`; None: it was given itself."""
        return self._value if self._value.startswith(("env:", "file:")) else None

    def __repr__(self) -> str:
        return f"Secret({self.reference or _HIDDEN!r})"

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied into another process: give its reference, env:NAME")


def as_secret(value: Secret | str) -> Secret:
    """Return what was given as a secret: a text is what `Secret` takes."""
    return value if isinstance(value, Secret) else Secret(value)


def _read(place: str) -> str:
    try:
        with Path(place).open(encoding="utf-8") as file:
            return file.read(_LONGEST).rstrip("\r\n")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, and such text is not to be shown
        raise DeclarationError(f"the file {place} of a secret cannot be read: {type(error).__name__}") from None


def _some(text: str, otherwise: str) -> str:
    if not text:
        raise DeclarationError(otherwise)
    return text
