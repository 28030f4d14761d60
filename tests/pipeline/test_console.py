"""The log on stderr: shown while a flow runs where nobody has configured logging, and taken away in the end."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flows.kernel.program.console import shown_log


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@contextmanager
def plain_root() -> Iterator[logging.Logger]:
    """Give the root logger without the handlers that pytest has set."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    logger.handlers[:] = []
    logger.setLevel(logging.WARNING)
    try:
        yield logger
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)


def test_lines_are_shown_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """From INFO on, those of flows and the program's own; nested runs share the handler, and the last takes it away."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with plain_root() as root:
        with shown_log(), shown_log():
            assert len(root.handlers) == 1
            logging.getLogger("mine").info("hello")
            logging.getLogger("mine").debug("unheard")
            logging.getLogger("flows").warning("w", extra={"flows_event": 1})
        assert (root.handlers, root.level) == ([], logging.WARNING)
    first, second = stream.getvalue().splitlines()
    assert first.endswith("INFO    mine: hello")
    assert second.endswith("WARNING w")
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch, no_color: str, *, coloured: bool) -> None:
    """There the level has one, unless NO_COLOR is set."""
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    monkeypatch.setenv("NO_COLOR", no_color)
    with plain_root() as root, shown_log():
        root.error("oh")
    assert ("\x1b[31m" in stream.getvalue()) == coloured


@pytest.mark.parametrize("name", [None, "flows", "mine"])
def test_what_is_configured_stays_as_it_is(name: str | None) -> None:
    """With a handler at the root or at the flow's logger, and with a logger that is none of logging's."""
    handler = logging.NullHandler()
    with plain_root() as root:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        try:
            for given in (logging.LoggerAdapter(logger, {}) if name == "mine" else None, object()):
                with shown_log(given):
                    assert root.handlers == ([handler] if name is None else [])
                    assert root.level == logging.WARNING
        finally:
            logger.removeHandler(handler)


def test_a_program_without_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of a desktop may have none."""
    monkeypatch.setattr(sys, "stderr", None)
    with plain_root() as root, shown_log():
        assert root.handlers == []
