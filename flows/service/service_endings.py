"""How the jobs of a service have ended: the methods of `Service` that read its log, by day, type and tenant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, get_args

from flows.errors import ValidationError
from flows.model.arguments import check_whole
from flows.model.endings.days import day_borders
from flows.model.endings.outbox import Ended
from flows.model.names import NAME
from flows.service.service_params import check_tenant, check_type
from flows.store.views.endings import AskedEndings, count_endings, read_endings

if TYPE_CHECKING:
    from pydantic import JsonValue

    from flows.service.service_host import ServiceHost
    from flows.store.views.endings import EndingPage

#: How pages go on: an entry of the log.
_ENTRY: Final = re.compile(r"\d{1,20}-\d{1,20}")
_MOST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class EndingCount:
    """How many jobs of one type have ended in one way on one day.

    Attributes:
        day: The day, in UTC.
        type: The type.
        outcome: "done", "failed" or "cancelled".
        count: How many; a job that was retried by hand and has ended again counts twice.
    """

    day: date
    type: str
    outcome: Ended
    count: int


class ServiceEndings:
    """The methods of a service that read its log of endings, which has them longer than the jobs are kept."""

    _host: ServiceHost

    async def successes(
        self,
        *,
        day: date | None = None,
        timezone: str = "UTC",
        type: str | None = None,
        tenant: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> EndingPage:
        """Return a page of the jobs that are done, newest first.

        Args:
            day: Those that ended on this day; None: on any that the log has.
            timezone: Where that day is, as "America/New_York".
            type: Those of this type.
            tenant: Those of this tenant.
            limit: How many at most. Where type or tenant are rare, a page may have fewer, and still not be the last.
            after: The `next` of the page before.

        Raises:
            ValidationError: one of these cannot be.
            StoreError: the server cannot be used.
        """
        return await self._page("done", None, day, timezone, _fields(type, tenant), limit, after)

    async def failures(
        self,
        *,
        day: date | None = None,
        timezone: str = "UTC",
        error: str | None = None,
        type: str | None = None,
        tenant: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> EndingPage:
        """Return a page of the jobs that have failed, newest first.

        Args:
            day: Those that ended on this day; None: on any that the log has.
            timezone: Where that day is, as "America/New_York".
            error: Those that failed by an error of this type, as `Fail("why", type="unknown-order")` says it.
            type: Those of this type.
            tenant: Those of this tenant.
            limit: How many at most. Where type or tenant are rare, a page may have fewer, and still not be the last.
            after: The `next` of the page before.

        Raises:
            ValidationError: one of these cannot be.
            StoreError: the server cannot be used.
        """
        if error is not None and not NAME.fullmatch(error):
            raise ValidationError(f"error={error!r:.80}: give the type of an error, as `record.error.type` has it")
        return await self._page("failed", error, day, timezone, _fields(type, tenant), limit, after)

    async def counts(self, *, days: int = 7) -> list[EndingCount]:
        """Return how many jobs have ended on each of the last days, by type and outcome; those of none are left out.

        Args:
            days: How many, today's included, in UTC.

        Raises:
            ValidationError: this is no number of days, 1 to 366.
            StoreError: the server cannot be used.
        """
        if check_whole("days", days, 1) > _MOST_DAYS:
            raise ValidationError(f"days={days}: give at most {_MOST_DAYS}")
        today = datetime.now(UTC).date()
        borders = day_borders(today, days=days)
        session = await self._host.runtime.open()
        found: list[EndingCount] = []
        for outcome in get_args(Ended):
            by_day = await count_endings(session.connection, session.settings, outcome, borders, by="type")
            for number, counted in enumerate(by_day):
                day = today - timedelta(days=days - 1 - number)
                found += [EndingCount(day, str(of), outcome, count) for of, count in counted.items()]
        return sorted(found, key=lambda one: (one.day, one.type, one.outcome))

    async def _page(  # noqa: PLR0917 - what the two above were given
        self,
        outcome: Ended,
        error: str | None,
        day: date | None,
        timezone: str,
        fields: dict[str, JsonValue],
        limit: int,
        after: str | None,
    ) -> EndingPage:
        check_whole("limit", limit, 1)
        if after and not _ENTRY.fullmatch(after):
            raise ValidationError(f"after={after!r:.80}: give the `next` of the page before")
        between: tuple[int, int] | None = None
        if day is not None:
            begin, end = day_borders(day, timezone)
            between = begin, end
        session = await self._host.runtime.open()
        asked = AskedEndings(outcome, error, between, fields)
        return await read_endings(session.connection, session.settings, asked, limit=limit, after=after or "")


def _fields(kind: str | None, tenant: str | None) -> dict[str, JsonValue]:
    asked: dict[str, JsonValue] = {}
    if kind is not None:
        asked["type"] = check_type(kind)
    if tenant is not None:
        asked["tenant"] = check_tenant(tenant)
    return asked
