"""`ServiceReports`: the methods of a service by which it tells the world how its jobs ended."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError, ValidationError
from flows.model.creation.job_options import server_ms
from flows.model.names import check_child_name, check_job_id
from flows.service.reports.report import Report
from flows.service.telling.report_record import ReportRecord, read_reports
from flows.service.telling.reporter import Reporter
from flows.service.telling.scheduled import ScheduledReport
from flows.service.transports.transport import Transport, held_as_set

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from flows.service.service_host import ServiceHost
    from flows.service.transports.ending import Ending, Outcome

FAILURES: Final[frozenset[Outcome]] = frozenset({"failed"})


class ServiceReports:
    """The methods of a service that declare its reporters."""

    _host: ServiceHost

    def add_reporter(self, transport: Transport) -> None:
        """Tell of endings by a webhook, a mail, a channel or a file: `add_reporter(Slack("alarm", url=…))`.

        The script that ends a job writes its report, a job of the queue `<service>.reports:<name>`: exactly one for
        each ending and reporter. It is tried for about a day, and delivered at least once, always under the same id.
        Every process that has the service's code declares the same reporters, before it starts.

        Raises:
            DeclarationError: it is no transport, has no name, or the service has a reporter of this name or
                is in use.
        """
        if not isinstance(transport, Transport):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"add_reporter({transport!r:.80}): give a Webhook, Slack, Mail or JsonLines")
        if not transport.name:
            raise DeclarationError(f"add_reporter: give the {type(transport).__name__} a name, as its first argument")
        self._host.add_reports(
            Reporter(
                transport.name,
                on=transport.on,
                types=transport.types,
                tell=transport.send,
                batch=transport.batch,
                linger=transport.linger,
                once=transport.delivery == "at_most_once",
            )
        )

    def reporter(
        self, name: str, *, on: Collection[Outcome] = FAILURES, types: Collection[str] | None = None
    ) -> Callable[[Callable[[Ending], Awaitable[None]]], Callable[[Ending], Awaitable[None]]]:
        """Return the decorator that makes an `async def` of an `Ending` a reporter.

        It may raise `Fail`, `Retry` or `Snooze`, as a handler does; after any other error it is tried again.

        Args:
            name: The reporter's name.
            on: The outcomes that it is told of.
            types: The types of jobs that it is told of; None: all.

        Raises:
            DeclarationError: a value cannot be used, or the service has such a reporter or is in use; when the
                decorator is called, the function is no `async def`.
        """
        check_child_name(name)
        outcomes = held_as_set("on", on, ("done", "failed", "cancelled"))
        known = None if types is None else held_as_set("types", types, None)

        def declared(function: Callable[[Ending], Awaitable[None]]) -> Callable[[Ending], Awaitable[None]]:
            if not inspect.iscoroutinefunction(function):
                raise DeclarationError(f"reporter {name!r} is {function!r:.80}: give an async def of an Ending")

            async def tell(endings: Sequence[Ending]) -> None:
                await function(endings[0])

            self._host.add_reports(Reporter(name, on=outcomes, types=known, tell=tell))
            return function

        return declared

    def add_report(self, report: Report) -> None:
        """Make a report by a schedule: a file of rows, one for each job that ended since the time before.

        Its times are kept in the server, by the server's clock: any number of processes may declare it, and each window
        is told once. Needs the extra `cron`, and the log of endings (`ServiceOptions(endings=…)`).

        Raises:
            DeclarationError: it is no report, or the service has a reporter or report of this name, has no log of
                endings, or is in use.
        """
        if not isinstance(report, Report):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"add_report({report!r:.80}): give a Report")
        if self._host.options.endings is None:
            raise DeclarationError(f"report {report.name!r} is read from the log of endings: do not set endings=None")
        self._host.add_reports(ScheduledReport(report))

    async def run_report(self, name: str, *, since: datetime, until: datetime) -> str:
        """Make a report over any window now, beside its schedule, and return its id.

        Args:
            name: The report's.
            since: It tells of jobs that ended from then on, by the server's clock; aware.
            until: To before then.

        Raises:
            ValidationError: there is no report of this name, or a time is naive, or the first is not before the second.
            StoreError: the server cannot be used.
        """
        reports = {known: one for known, one in self._host.reports.items() if isinstance(one, ScheduledReport)}
        if name not in reports:
            known = ", ".join(reports) or "none"
            raise ValidationError(f"service {self._host.name!r} has no report {name!r:.80}; it has {known}")
        begin, end = (server_ms(what, value) for what, value in (("since", since), ("until", until)))
        if begin >= end:
            raise ValidationError(f"since={since} is not before until={until}")
        return await reports[name].run(self._host, begin, end)

    async def reports(self, job_id: str | UUID) -> list[ReportRecord]:
        """Return what became of the reports of a job's endings, as far as they are kept; the oldest ending first.

        Those of this process's reporters; none where the job is gone.

        Raises:
            ValidationError: `job_id` is no UUID and no text of one.
            StoreError: the server cannot be used.
        """
        checked = check_job_id(job_id)
        session = await self._host.runtime.open()
        queues = [name for name in self._host.flow.queues if ":" in name]
        return await read_reports(session, self._host.name, queues, checked)
