"""Secrets: read where they stand, and shown nowhere."""

from __future__ import annotations

import copy
import logging
import pickle
from pathlib import Path

import pytest

from flows.errors import DeclarationError
from flows.service.secret import Secret, as_secret

TEXT = "of-mine-3b1f"


def test_it_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Not by repr, str, a format or a log line, and it is not pickled or copied out."""
    secret = Secret(TEXT)
    logging.getLogger("flows").warning("a %s and %r", secret, secret)
    shown = f"{secret} {secret!r} {secret:>20} {[secret]} {caplog.text}"
    assert TEXT not in shown
    assert "***" in shown
    for taken in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            taken(secret)
    assert secret.reveal() == TEXT


def test_it_is_read_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each use, so it can be changed meanwhile; where it stands may be shown."""
    monkeypatch.setenv("OF_MINE", TEXT)
    file = tmp_path / "token"
    file.write_text(f"{TEXT}\n", encoding="utf-8")
    assert Secret("env:OF_MINE").reveal() == Secret(f"file:{file}").reveal() == TEXT
    file.write_text("another", encoding="utf-8")
    assert Secret(f"file:{file}").reveal() == "another"
    assert repr(Secret("env:OF_MINE")) == "Secret('env:OF_MINE')"
    assert Secret("env:OF_MINE").reference == "env:OF_MINE"
    assert Secret(TEXT).reference is None


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    """With the name of the place, and with nothing that stood in it."""
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff" + TEXT.encode())
    for place, why in (
        ("env:OF_NOBODY", "OF_NOBODY is not set, or empty"),
        (f"file:{tmp_path}/none", "cannot be read: FileNotFoundError"),
        (f"file:{tmp_path}/empty", "holds no secret"),
        (f"file:{tmp_path}/binary", "cannot be read: UnicodeDecodeError"),
    ):
        with pytest.raises(DeclarationError, match=why) as refused:
            Secret(place).reveal()
        assert TEXT not in str(refused.value)


def test_equal_where_the_text_is() -> None:
    """As a value is: two that are equal stand once in a set, and what is a secret already stays it."""
    assert len({Secret(TEXT), Secret(TEXT), Secret("other")}) == 2
    assert Secret(TEXT) != TEXT
    assert as_secret(Secret(TEXT)) == as_secret(TEXT)
    for nothing in ("", 5, None):
        with pytest.raises(DeclarationError, match="a text that is not empty"):
            Secret(nothing)  # type: ignore[arg-type]
