"""What a query finds, as a file: CSV for tables, JSON Lines for programs; sent page by page, so nothing is gathered."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Final

from flows.api import JobQuery, find_operation
from flows.api.reading.hiding import Hiding
from flows.api.reading.search import Search, searched
from flows.api.views.jobs import JobRow
from flows.errors import TooManyRequests, ValidationError
from flows.server.asking import asking
from flows.server.patient_stream import PatientStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from flows.api import Admin
    from flows.api.views.jobs import JobPage

#: Jobs of one file; whoever wants more asks for a part of the time after another, by `since:` and `until:`.
MOST_JOBS: Final = 100_000
#: Files that one process sends at a time.
MOST_AT_ONCE: Final = 4
_PAGE: Final = 100
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
_COLUMNS: Final = tuple(name for name in JobRow.model_fields if name not in {"lookups", "cut"})
#: What a spreadsheet takes as the beginning of a formula, also in the wide forms of these signs.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide forms


class Exports:
    """The files that this process sends."""

    def __init__(self) -> None:
        self._running = 0

    async def jobs(self, request: Request) -> Response:
        """Answer with the jobs of a query: `/export/jobs?q=flow:shop state:failed&format=csv`."""
        params = request.query_params
        kind = params.get("format", "csv")
        if kind not in _TYPES:
            raise ValidationError(f"format={kind!r:.40} is none: there are {', '.join(_TYPES)}")
        if unknown := set(params) - {"q", "flow", "format"}:
            raise ValidationError(f"{min(unknown)!r:.40} is not known: there are q, flow and format")
        if self._running >= MOST_AT_ONCE:
            raise TooManyRequests(5.0)
        admin = await asking(request)
        query = params.get("q", "")
        asked = {"query": query, "flow": params.get("flow"), "limit": 1}
        self._running += 1
        try:
            first: JobPage = await find_operation("jobs.find").call(admin, asked)
            search = await searched(admin, JobQuery.parse(query), first.flow)
            lookups = await _lookups(admin, first.flow)
        except BaseException:
            self._end()
            raise
        write = _csv(lookups) if kind == "csv" else _jsonl
        headers = {
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="jobs-{first.flow.replace(":", "-")}.{kind}"',
        }
        return PatientStream(_written(_pages(search), write), self._end, headers, media_type=_TYPES[kind])

    def _end(self) -> None:
        self._running -= 1


async def _pages(search: Search) -> AsyncGenerator[Sequence[JobRow]]:
    """Yield the pages, up to the most that are sent: of a file nothing is shortened."""
    sent, cursor = 0, ""
    while True:
        page = await search.page(cursor, min(_PAGE, MOST_JOBS - sent), count=False)
        yield page.jobs
        sent, cursor = sent + len(page.jobs), page.cursor
        if not cursor or sent >= MOST_JOBS:
            return


async def _written(
    pages: AsyncGenerator[Sequence[JobRow]], write: Callable[[Iterable[JobRow]], str]
) -> AsyncGenerator[bytes]:
    async for rows in pages:
        yield write(rows).encode()


async def _lookups(admin: Admin, flow: str) -> list[str]:
    hiding = Hiding(admin.caller, flow)
    return [name for name in (await admin.flow(flow)).lookups if hiding.allows(name)]


def _jsonl(rows: Iterable[JobRow]) -> str:
    return "".join(row.model_dump_json(exclude={"cut"}) + "\n" for row in rows)


def _csv(lookups: Sequence[str]) -> Callable[[Iterable[JobRow]], str]:
    """Return what writes rows, below a line of names before the first ones."""
    names: list[str] = [*_COLUMNS, *(f"lookups.{name}" for name in lookups)]

    def write(rows: Iterable[JobRow]) -> str:
        text = io.StringIO()
        writer = csv.writer(text)
        if names:
            writer.writerow(names)
            names.clear()
        for row in rows:
            plain = row.model_dump(mode="json")
            cells = [plain[name] for name in _COLUMNS] + [plain["lookups"].get(name) for name in lookups]
            writer.writerow([cell_of(value) for value in cells])
        return text.getvalue()

    return write


def cell_of(value: object) -> str | float | None:
    """Return what stands in a cell of a table: a text that a spreadsheet would take for a formula begins with `'`."""
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
