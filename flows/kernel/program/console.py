"""Shows the log on stderr while a program runs its flows and has not configured logging itself."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from flows.kernel.program.job_context import JobContextFilter

if TYPE_CHECKING:
    from collections.abc import Generator

_COLOURS: Final = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "31"}


class _Shown:
    """The handler that is shown, and for how many runs: the last one that ends takes it away."""

    def __init__(self) -> None:
        self.handler: logging.Handler | None = None
        self.runs = 0
        self.level = logging.NOTSET

    def end(self, root: logging.Logger) -> None:
        """End one run."""
        self.runs -= 1
        if not self.runs and self.handler is not None:
            root.removeHandler(self.handler)
            root.setLevel(self.level)
            self.handler = None


_shown: Final = _Shown()


@contextmanager
def shown_log(logger: Any = None) -> Generator[None]:
    """Show all lines from INFO on at stderr for the block, if neither the flow's logger nor the root has a handler.

    Args:
        logger: What `FlowOptions.logger` says; None is the logger `flows`.
    """
    logger = getattr(logger, "logger", logger)  # an adapter's own
    logger = logging.getLogger("flows") if logger is None else logger
    root = logging.getLogger()
    if not isinstance(logger, logging.Logger) or sys.stderr is None:
        yield
        return
    if _shown.handler is None:
        if logger.hasHandlers() or root.handlers:
            yield
            return
        _shown.handler, _shown.level = _handler(), root.level
        root.addHandler(_shown.handler)
        if root.level == logging.WARNING:  # as Python leaves it
            root.setLevel(logging.INFO)
    _shown.runs += 1
    try:
        yield
    finally:
        _shown.end(root)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(JobContextFilter())
    handler.setFormatter(_Lines(coloured=sys.stderr.isatty() and not os.environ.get("NO_COLOR")))
    return handler


class _Lines(logging.Formatter):
    """Time, level and message; of lines that are not ours also the logger, and the job where one runs."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__("%(asctime)s %(level)s %(origin)s%(message)s", "%H:%M:%S")
        self._coloured = coloured

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging calls it
        level = f"{record.levelname:<7}"
        if self._coloured:
            level = f"\x1b[{_COLOURS.get(record.levelname, '0')}m{level}\x1b[0m"
        origin = "" if hasattr(record, "flows_event") else f"{record.name}: "
        job_id = getattr(record, "job_id", "")
        record.level = level
        record.origin = f"[{job_id}] {origin}" if job_id and origin else origin
        return super().formatMessage(record)
