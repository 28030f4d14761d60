"""What a flow takes for a logger: one of `logging`, or one of structlog."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from flows.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable


class AnyLogger(Protocol):
    """A `logging.Logger`, a `logging.LoggerAdapter`, a logger of structlog, or what has their two methods."""

    @property
    def log(self) -> Callable[..., object]:
        """`log(level, message, *args)`."""
        ...

    @property
    def isEnabledFor(self) -> Callable[[int], bool]:  # noqa: N802 - as logging calls it
        """Whether a line of this level would go anywhere."""
        ...


def is_structlog(logger: object) -> bool:
    """Return whether a logger is one of structlog: they take an event's fields as keywords."""
    # One of logging's may be of a class of structlog's too: it makes all loggers so once its LoggerFactory was used.
    return type(logger).__module__.partition(".")[0] == "structlog" and not isinstance(logger, logging.Logger)


def check_logger(logger: object) -> None:
    """Check that a flow can log to it; None stands for the logger `flows`.

    Raises:
        DeclarationError: it cannot.
    """
    if isinstance(logger, logging.LoggerAdapter):
        inner: object = logger.logger  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if inner is None:
            raise DeclarationError("logger= is a LoggerAdapter of None: give it a logging.Logger")
        check_logger(inner)  # pyright: ignore[reportUnknownArgumentType]
        return
    if logger is None or isinstance(logger, logging.Logger) or (is_structlog(logger) and hasattr(logger, "bind")):
        return
    if isinstance(logger, str):
        raise DeclarationError(f"logger={logger!r} is a name: give logging.getLogger({logger!r})")
    if isinstance(logger, type) or not all(callable(getattr(logger, name, None)) for name in ("log", "isEnabledFor")):
        raise DeclarationError(
            f"logger={logger!r} has not the methods of a logger: give a logging.Logger, a logging.LoggerAdapter or one "
            "of structlog; for others, leave it out and hand on what the logger 'flows' gets"
        )
