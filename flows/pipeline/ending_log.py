"""`flow.endings`: the log of the jobs of a flow that have ended, by pages and by days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, get_args

from flows.errors import ValidationError
from flows.kernel.callers.loop_thread import blocking
from flows.model.arguments import check_flag, check_text, check_whole
from flows.model.codec import encode_value
from flows.model.endings.days import day_borders
from flows.model.endings.outbox import Ended
from flows.store.views.endings import AskedEndings, count_endings, read_endings

if TYPE_CHECKING:
    from datetime import date

    from pydantic import JsonValue

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.store.views.endings import EndingPage

#: The id of an entry, by which pages go on.
_ENTRY: Final = re.compile(r"\d{1,19}-\d{1,19}")
#: So many endings are on a page at most, and so many days are counted.
_MOST: Final = 10_000
_MOST_DAYS: Final = 366


class EndingLog:
    """The jobs of a flow that have ended, as `FlowOptions(endings=…)` logs them: longer than their hashes stay."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def page(
        self,
        outcome: Ended,
        *,
        day: date | None = None,
        timezone: str = "UTC",
        error: str | None = None,
        fields: Mapping[str, JsonValue] | None = None,
        limit: int = 100,
        after: str = "",
        newest_first: bool = True,
    ) -> EndingPage:
        """Return some of the jobs that have ended so, and where the next page begins.

        Args:
            outcome: "done", "failed" or "cancelled".
            day: Only those of this day; None: of any.
            timezone: In whose time zone that day is meant, such as "Europe/Berlin".
            error: Of failures, only those by this type of error, such as "ValueError".
            fields: Only those whose copied fields have these values.
            limit: How many at most, 1 to 10,000.
            after: The `next` of the page before.
            newest_first: The order.

        Raises:
            ValidationError: the flow has no log, or one of these cannot be used.
            StoreError: the server cannot be used.
        """
        check_whole("limit", limit, 1)
        if limit > _MOST:
            raise ValidationError(f"limit={limit}: a page has at most {_MOST:,} endings")
        if error is not None and (outcome != "failed" or not check_text("error", error)):
            raise ValidationError(f'error={error!r}: only jobs that have failed have one: ask for "failed"')
        if check_text("after", after) and not _ENTRY.fullmatch(after):
            raise ValidationError(f"after={after!r:.80}: give the `next` of a page")
        between = None if day is None else tuple(day_borders(day, timezone))
        asked = AskedEndings(
            _checked(outcome),
            error=error,
            between_ms=None if between is None else (between[0], between[1]),
            fields=self._checked_fields({} if fields is None else fields),
            newest_first=check_flag("newest_first", newest_first),
        )
        session = await self._session()
        return await read_endings(session.connection, session.settings, asked, limit=limit, after=after)

    async def count(
        self, outcome: Ended, day: date, *, timezone: str = "UTC", days: int = 1, by: str = ""
    ) -> list[dict[str | None, int]]:
        """Return how many jobs have ended so on each of some days, by what a copied field says.

        Args:
            outcome: "done", "failed" or "cancelled".
            day: The last of the days.
            timezone: In whose time zone the days are meant.
            days: How many, 1 to 366.
            by: A copied field; without one, all count for None.

        Returns:
            A dict for each day, in order: from the field's value to how many.

        Raises:
            ValidationError: the flow has no log, or one of these cannot be used.
            StoreError: the server cannot be used.
        """
        check_whole("days", days, 1)
        if days > _MOST_DAYS:
            raise ValidationError(f"days={days}: count at most {_MOST_DAYS}")
        self._check_copied(check_text("by", by))
        borders, outcome = day_borders(day, timezone, days), _checked(outcome)
        session = await self._session()
        return await count_endings(session.connection, session.settings, outcome, borders, by)

    def _checked_fields(self, fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        if not isinstance(fields, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"fields={fields!r:.80}: give a dict of copied fields and their values")
        for name, value in fields.items():
            self._check_copied(check_text("the name of a field", name))
            encode_value(name, value)
        return dict(fields)

    def _check_copied(self, name: str) -> None:
        """Refuse the name of a field that the log does not copy, as far as that is known here."""
        outbox = self._runtime.options.outbox
        if name and outbox is not None and name not in outbox.copied:
            known = ", ".join(outbox.copied) or "none: declare endings=flows.Endings(fields=…)"
            raise ValidationError(f"{name!r:.80} is no field that the log copies; it copies {known}")

    async def _session(self) -> Session:
        """Return the session, opened.

        Raises:
            ValidationError: the flow has no log.
        """
        options = self._runtime.options
        if options.outbox is not None and options.outbox.endings is None:
            raise ValidationError(f"flow {options.name!r} has no log of endings: declare endings=flows.Endings()")
        return await self._runtime.open()


class SyncEndingLog:
    """The same as plain calls: `flow.sync.endings`."""

    def __init__(self, log: EndingLog) -> None:
        self.page = blocking(log.page)
        self.count = blocking(log.count)


def _checked(outcome: Ended) -> Ended:
    if outcome not in get_args(Ended):
        raise ValidationError(f"outcome={outcome!r:.80}: give one of {', '.join(get_args(Ended))}")
    return outcome
