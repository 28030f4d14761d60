"""Tells of a server that is away: once by each part that meets it, and once when all of them are served again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: A part that is still not served tells so again after so many seconds.
_AGAIN: Final = 60.0


class Outage:
    """The outage that a process is in, if it is in one.

    Args:
        emit: Emits an event.
        clock: Gives the time in seconds.
    """

    def __init__(self, emit: Callable[..., None], clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._began = 0.0
        #: When each part that is not served has told so.
        self._told: dict[str, float] = {}

    def __contains__(self, part: str) -> bool:
        """Whether a part has met the outage and was not served since."""
        return part in self._told

    @property
    def lasts(self) -> bool:
        """Whether any part has met the outage and was not served since."""
        return bool(self._told)

    def met(self, part: str, error: Exception, **fields: object) -> None:
        """Tell that a part was not served, if it has not just done so."""
        now = self._clock()
        if not self._told:
            self._began = now
        if part not in self._told or now - self._told[part] >= _AGAIN:
            self._told[part] = now
            self._emit("store.unavailable", **fields, error=str(error))

    def over(self, part: str) -> None:
        """Tell that the server is there again, once all parts that met the outage were served."""
        if self._told.pop(part, None) is not None and not self._told:
            self._emit("store.available", seconds=round(self._clock() - self._began, 1))

    def forget(self, part: str | None = None) -> None:
        """Forget that a part has met the outage, since it has stopped; None: that any has."""
        if part is None:
            self._told.clear()
        else:
            self._told.pop(part, None)
