"""Which server is used, what is shown of its URL, and where the embedded one keeps its data."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flows.config import Server, choose_server, data_directory, redact
from flows.errors import DeclarationError

BOTH = {"FLOWS_REDIS_URL": "redis://flows", "REDIS_URL": "redis://any"}


@pytest.mark.parametrize(
    ("argument", "environ", "server"),
    [
        ("unix:///run/a.sock", BOTH, Server("unix:///run/a.sock", "redis_url")),
        (None, BOTH, Server("redis://flows", "FLOWS_REDIS_URL")),
        (None, {"REDIS_URL": "rediss://any"}, Server("rediss://any", "REDIS_URL")),
        (None, {}, Server(None, "embedded")),
        ("", {**BOTH, "FLOWS_REDIS_URL": ""}, Server("redis://any", "REDIS_URL")),
        ("", {"FLOWS_REDIS_URL": "", "REDIS_URL": ""}, Server(None, "embedded")),
    ],
)
def test_the_nearest_word_wins(argument: str | None, environ: dict[str, str], server: Server) -> None:
    """Argument, FLOWS_REDIS_URL, REDIS_URL, embedded: in this order, and an empty string is no word."""
    assert choose_server(argument, environ) == server


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://u:secret@h", "begins with http://"),
        ("u:secret@h:6379", "has no scheme"),
        ("/secret", "has no scheme"),
        ("REDIS://:secret@h", "begins with REDIS://"),
    ],
)
def test_another_scheme_is_refused_without_showing_the_url(url: str, found: str) -> None:
    """The error names the variable and what is wrong, and never the password."""
    with pytest.raises(DeclarationError, match=f"FLOWS_REDIS_URL {found}") as caught:
        choose_server(None, {"FLOWS_REDIS_URL": url})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("unix:///run/a.sock?db=1", "unix:///run/a.sock?db=1"),
        ("redis://:secret@h:6379/0", "redis://:***@h:6379/0"),
        ("rediss://user:secret@h?db=2", "rediss://user:***@h?db=2"),
        ("redis://user:sec@re/t?secret@h", "redis://user:***@h"),
        ("redis://h?password=secret&db=1", "redis://h?password=***&db=1"),
        ("unix:///s.sock?db=1&PASSWORD=secret#secret", "unix:///s.sock?db=1&PASSWORD=***"),
        ("rediss://h?ssl_password=secret", "rediss://h?ssl_password=***"),
    ],
)
def test_redact_hides_the_password_and_nothing_else(url: str, shown: str) -> None:
    """Passwords before the host and in the query are hidden, also those that should have been quoted."""
    assert redact(url) == shown


def test_a_server_says_which_it_is() -> None:
    """What is printed of a server has no password in it."""
    assert str(Server(None, "embedded")) == "the embedded server"
    assert str(Server("redis://:secret@h", "REDIS_URL")) == "redis://:***@h from REDIS_URL"


@pytest.mark.parametrize(
    ("platform", "environ", "directory"),
    [
        ("linux", {}, "/home/joe/.local/share/flows"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/flows"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "/home/joe/.local/share/flows"),
        ("linux", {"FLOWS_DATA_DIR": "/mine", "XDG_DATA_HOME": "/data"}, "/mine"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/home/joe/Library/Application Support/flows"),
    ],
)
def test_the_data_directory_is_the_users(
    platform: str, environ: dict[str, str], directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLOWS_DATA_DIR is taken as it is; else it is where the platform keeps a user's data."""
    monkeypatch.setattr(sys, "platform", platform)
    assert data_directory({"HOME": "/home/joe", **environ}) == Path(directory)


def test_a_relative_data_directory_is_made_absolute() -> None:
    """It stays the same directory whatever the process's directory is later."""
    assert data_directory({"FLOWS_DATA_DIR": "here"}) == Path.cwd() / "here"
