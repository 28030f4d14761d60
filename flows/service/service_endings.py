"""How the jobs of a service have ended: the methods of `Service` that read its log, by day, type and tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, get_args

from flows.model.endings.outbox import Ended
from flows.service.service_params import check_tenant, check_type

if TYPE_CHECKING:
    from pydantic import JsonValue

    from flows.service.service_host import ServiceHost
    from flows.store.views.endings import EndingPage


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
        after: str = "",
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
        asked = _fields(type, tenant)
        log = self._host.flow.endings
        return await log.page("done", day=day, timezone=timezone, fields=asked, limit=limit, after=after)

    async def failures(
        self,
        *,
        day: date | None = None,
        timezone: str = "UTC",
        error: str | None = None,
        type: str | None = None,
        tenant: str | None = None,
        limit: int = 100,
        after: str = "",
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
        asked = _fields(type, tenant)
        log = self._host.flow.endings
        return await log.page("failed", day=day, timezone=timezone, error=error, fields=asked, limit=limit, after=after)

    async def counts(self, *, days: int = 7) -> list[EndingCount]:
        """Return how many jobs have ended on each of the last days, by type and outcome; those of none are left out.

        Args:
            days: How many, today's included, in UTC.

        Raises:
            ValidationError: this is no number of days, 1 to 366.
            StoreError: the server cannot be used.
        """
        today = datetime.now(UTC).date()
        found: list[EndingCount] = []
        for outcome in get_args(Ended):
            by_day = await self._host.flow.endings.count(outcome, today, days=days, by="type")
            for number, counted in enumerate(by_day):
                day = today - timedelta(days=days - 1 - number)
                found += [EndingCount(day, str(of), outcome, count) for of, count in counted.items()]
        return sorted(found, key=lambda one: (one.day, one.type, one.outcome))


def _fields(kind: str | None, tenant: str | None) -> dict[str, JsonValue]:
    asked: dict[str, JsonValue] = {}
    if kind is not None:
        asked["type"] = check_type(kind)
    if tenant is not None:
        asked["tenant"] = check_tenant(tenant)
    return asked
