"""Which server is used, what is shown of its URL, and where the embedded one keeps its data."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flows.config import Server, choose_server, data_directory
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
        ("", {"FLOWS_REDIS_URL": "", "REDIS_URL": " \n"}, Server(None, "embedded")),
    ],
)
def test_the_nearest_word_wins(argument: str | None, environ: dict[str, str], server: Server) -> None:
    """Argument, FLOWS_REDIS_URL, REDIS_URL, embedded: in this order, and an empty string or white space is no word."""
    assert choose_server(argument, environ) == server


def test_a_malformed_url_is_refused_by_the_name_of_what_gave_it() -> None:
    """What is wrong with it, and never the URL."""
    with pytest.raises(DeclarationError, match="FLOWS_REDIS_URL has no scheme") as caught:
        choose_server(None, {"FLOWS_REDIS_URL": "u:secret@h:6379"})
    assert "secret" not in str(caught.value)


def test_a_server_says_which_it_is() -> None:
    """What is printed of a server has no password in it."""
    assert str(Server(None, "embedded")) == "the embedded server"
    server = Server("redis://:secret@h", "REDIS_URL")
    assert str(server) == "redis://***@h:6379/0 from REDIS_URL"
    assert "secret" not in repr(server)


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


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run as a user that no passwd file knows: the error names both ways out, and both work."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    with pytest.raises(DeclarationError, match="set FLOWS_DATA_DIR to a directory, or FLOWS_REDIS_URL"):
        data_directory({})
    with pytest.raises(DeclarationError, match="FLOWS_DATA_DIR='~/flows': this user has no home directory"):
        data_directory({"FLOWS_DATA_DIR": "~/flows"})
    assert data_directory({"FLOWS_DATA_DIR": "/data"}) == Path("/data")
    assert choose_server(None, {"FLOWS_REDIS_URL": "redis://localhost"}).url == "redis://localhost"
