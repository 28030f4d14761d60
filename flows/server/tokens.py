"""Tokens of a file: who bears one is a caller with a name, a role, its flows, and what is hidden from it.

A line is `<name> <role> <SHA-256 of the token> [<flow>,…] [hide=<field>,…] [until=<date>]`; `flows web token` makes
one. The file holds no token, so who reads it can ask for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from flows.api import Caller
from flows.errors import DeclarationError

#: Names the file where the program does not.
TOKENS_VARIABLE: Final = "FLOWS_WEB_TOKENS"
#: A line has so many words at least, and a digest so many hex digits.
_WORDS: Final = 3
_DIGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Token:
    """One line of the file.

    Args:
        caller: Whose it is.
        digest: SHA-256 of the token, in hex.
        ends_at: When it ends, in seconds since 1970; None: never.
    """

    caller: Caller
    digest: str
    ends_at: float | None = None


class Tokens:
    """The tokens of one file, or of a text; a file is read again when it has changed.

    `Tokens.file("tokens")`, or `Tokens(text)`.
    """

    def __init__(self, text: str, path: Path | None = None) -> None:
        self._path = path
        self._tokens: tuple[Token, ...] = ()
        self._key = b""
        self._stamp = _stamp(path)
        self._take(text)

    @classmethod
    def file(cls, path: str | Path) -> Tokens:
        """Return the tokens of a file.

        Raises:
            DeclarationError: It cannot be read, or a line of it is none.
        """
        return cls(_read(Path(path)), Path(path))

    @property
    def key(self) -> bytes:
        """What signs cookies: other tokens, another key, so that a session ends when the tokens change."""
        self._look()
        return self._key

    def find(self, token: str) -> Token | None:
        """Return the line of a token, unless there is none or it has ended.

        All lines are compared, in a time that tells nothing of where they differ.
        """
        self._look()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found: Token | None = None
        for one in self._tokens:
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found if found is not None and _holds(found) else None

    def named(self, name: str) -> Token | None:
        """Return the line of a name, unless there is none or it has ended."""
        self._look()
        return next((one for one in self._tokens if one.caller.name == name and _holds(one)), None)

    def _look(self) -> None:
        """Read the file again where it has changed; one that cannot be read now leaves what was there."""
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp:
            return
        try:
            self._take(_read(self._path))
        except DeclarationError:
            self._tokens, self._key = (), secrets.token_bytes(32)  # nobody comes in by a file that nobody can read
        self._stamp = stamp

    def _take(self, text: str) -> None:
        where = str(self._path or "tokens")
        self._tokens = tuple(
            _parse(line, f"{where}, line {number}")
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip() and not line.lstrip().startswith("#")
        )
        names = [one.caller.name for one in self._tokens]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DeclarationError(
                f"{where}: {', '.join(sorted(twice))} has more than one token: name each differently"
            )
        self._key = hashlib.sha256(
            b"flows cookie " + "\n".join(sorted(one.digest for one in self._tokens)).encode()
        ).digest()


def new_token(name: str, role: str, *, flows: str = "") -> tuple[str, str]:
    """Return a new token, and the line that goes into the file for it.

    Args:
        name: Of its bearer.
        role: `viewer` or `operator`.
        flows: Names of flows, joined by commas; none: all.

    Raises:
        DeclarationError: The name or the role is refused.
    """
    token = secrets.token_urlsafe(32)
    line = " ".join(part for part in (name, role, hashlib.sha256(token.encode()).hexdigest(), flows) if part)
    _parse(line, "this token")
    return token, line


def _parse(line: str, where: str) -> Token:
    words = line.split()
    if len(words) < _WORDS or len(words[2]) != _DIGEST or not set(words[2]) <= set("0123456789abcdef"):
        raise DeclarationError(
            f"{where}: not `<name> <role> <SHA-256 of the token> [<flows>]`; `flows web token NAME` makes such a line"
        )
    flows: frozenset[str] | None = None
    hide: frozenset[str] = frozenset()
    ends_at: float | None = None
    for word in words[3:]:
        name, _, value = word.rpartition("=")
        if name in {"", "flows"}:
            flows = frozenset(value.split(","))
        elif name == "hide":
            hide = frozenset(value.split(","))
        elif name == "until":
            ends_at = _instant(value, where)
        else:
            raise DeclarationError(f"{where}: {name}= is not known: there are flows=, hide= and until=")
    if words[1] not in {"viewer", "operator"}:
        raise DeclarationError(f"{where}: {words[1]!r:.40} is no role: viewer, operator")
    try:
        caller = Caller.model_validate({"name": words[0], "role": words[1], "flows": flows, "hide": hide})
    except ValidationError as error:
        raise DeclarationError(f"{where}: {error.errors()[0]['msg']}") from None
    return Token(caller, words[2], ends_at)


def _instant(text: str, where: str) -> float:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise DeclarationError(f"{where}: until={text:.40} is no date, such as 2027-01-31") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _holds(token: Token) -> bool:
    return token.ends_at is None or datetime.now(UTC).timestamp() < token.ends_at


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"the tokens in {path} cannot be read: {error}") from error


def tokens_of_environment() -> Tokens | None:
    """Return the tokens that the environment names by `FLOWS_WEB_TOKENS`, or None.

    Raises:
        DeclarationError: They cannot be read.
    """
    path = os.environ.get(TOKENS_VARIABLE)
    return Tokens.file(path) if path else None
