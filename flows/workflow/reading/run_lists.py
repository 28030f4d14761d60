"""Lists runs, and says what each workflow's runs do."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, get_args

from flows.errors import ValidationError
from flows.model.arguments import check_many, check_text, check_whole
from flows.model.find.conjunction import LAST_MS, Conjunction
from flows.model.find.query import MOST_ALTERNATIVES, JobQuery
from flows.model.names import NAME
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW
from flows.model.runs.queue_names import workflow_of
from flows.model.runs.run_page import RunPage, WorkflowStats
from flows.model.runs.run_record import RunStatus
from flows.model.state import JobState
from flows.model.values.lookup import lookup_text
from flows.store.fleet.apps import read_workflows
from flows.store.views.find import Finder, FoundJobs
from flows.store.views.observe import observe
from flows.workflow.run_flow import FIRST_QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.workflow.host import Host
    from flows.workflow.reading.run_reader import RunReader

#: A page has so many runs at most.
MOST_RUNS: Final = 1000
_STATUSES: Final = get_args(RunStatus)


class RunLists:
    """Lists the runs of all apps."""

    def __init__(self, host: Host, reader: RunReader[Any]) -> None:
        self._host = host
        self._reader = reader

    async def page(  # noqa: PLR0917 - what `list_runs` is given
        self,
        workflow: str | None,
        status: RunStatus | Sequence[RunStatus] | None,
        tag: str | None,
        lookup: Mapping[str, object],
        since: datetime | None,
        until: datetime | None,
        limit: int,
        cursor: str,
    ) -> RunPage:
        """Return a page of runs, newest first."""
        if check_whole("limit", limit, 1) > MOST_RUNS:
            raise ValidationError(f"limit={limit}: a page has up to {MOST_RUNS:,} runs; take the next by its cursor")
        wanted = _statuses(status)
        known = self._host.definitions.get(workflow) if isinstance(workflow, str) else None
        if known is not None and (other := lookup.keys() - {*known.options.lookup}):
            declared = ", ".join(known.options.lookup) or "none"
            raise ValidationError(
                f"lookup={min(map(str, other))!r:.80}: workflow {workflow!r} is found by {declared}: "
                "add the field to lookup= of its define; runs that are started from then on are found by it"
            )
        asked = Conjunction(
            lookups=frozenset(_lookups(workflow, tag, lookup)),
            states=None if wanted is None else frozenset(map(_state_of, wanted)),
            since_ms=0 if since is None else _milliseconds("since", since),
            until_ms=LAST_MS + 1 if until is None else _milliseconds("until", until),
        )
        if not asked.possible:
            raise ValidationError(f"since={since}, until={until}: `since` has to be before `until`")
        session = await self._host.open()
        if workflow is not None:
            await self._host.check_known(workflow)
        queues = await self._host.known()
        finder = Finder(session.connection, session.settings, queues)
        found, rest = await _pages(finder, _queries(asked, queues), limit, _read(cursor))
        records = await self._reader.records(found)
        runs = [one for one in records if one is not None and (wanted is None or one.status in wanted)]
        return RunPage(runs, rest)

    async def stats(self) -> dict[str, WorkflowStats]:
        """Return what each workflow's runs do."""
        session = await self._host.open()
        queues = [queue for queue in await self._host.known() if queue != FIRST_QUEUE]
        states = await observe(session.connection, session.settings, queues) if queues else {}
        declared = await read_workflows(session.connection, session.settings)
        names = dict.fromkeys([*(one.name for one in declared), *map(workflow_of, queues)])
        found = {name: WorkflowStats(name) for name in sorted(names)}
        for one in declared:  # those that were seen last come first
            old = found[one.name]
            apps = old.apps if one.app in old.apps or not one.live else (*old.apps, one.app)
            found[one.name] = replace(old, apps=apps, live=old.live or one.live, last_seen=old.last_seen or one.seen)
        for queue, state in states.items():
            old = found[workflow_of(queue)]
            counts = defaultdict(int, old.counts)
            for verb, count in state.counts.items():
                counts[verb] += count
            found[old.workflow] = replace(
                old,
                waiting=old.waiting + state.waiting,
                processing=old.processing + state.processing,
                delayed=old.delayed + state.delayed,
                failed=old.failed + state.failed,
                cancelled=old.cancelled + state.cancelled,
                counts=dict(counts),
                by_queue={**old.by_queue, queue: state.waiting + state.processing + state.delayed},
            )
        return found


async def _pages(
    finder: Finder, queries: Sequence[JobQuery], limit: int, cursors: Mapping[str, str]
) -> tuple[list[str], str]:
    """Return up to `limit` ids, newest first, and where to go on.

    A query has a bounded number of alternatives: where there are more workflows, several are asked, each for a page,
    and of those that have given more than was taken, where they go on is asked once more.
    """

    async def page(at: int, count: int) -> FoundJobs:
        return await finder.page(queries[at], cursor=cursors.get(str(at), ""), limit=count, newest_first=True)

    begun = [at for at in range(len(queries)) if not cursors or str(at) in cursors]
    found = {at: await page(at, limit) for at in begun}
    every = sorted(((job_id, at) for at in begun for _flow, job_id in found[at].jobs), reverse=True)
    if len(begun) == 1:
        [at] = begun
        last = {str(at): found[at].cursor} if found[at].cursor else {}
        return [job_id for _flow, job_id in found[at].jobs], _written(last)
    taken = every[:limit]
    rest: dict[str, str] = {}
    for at in begun:
        count = sum(of == at for _job, of in taken)
        if count < len(found[at].jobs):
            cursor = (await page(at, count)).cursor if count else cursors.get(str(at), "")
            rest[str(at)] = cursor
        elif found[at].cursor:
            rest[str(at)] = found[at].cursor
    return [job_id for job_id, _at in taken], _written(rest)


def _queries(asked: Conjunction, queues: Sequence[str]) -> list[JobQuery]:
    """Return the queries that together ask for it: without a lookup, for the runs of each workflow there ever was."""
    ended = asked.states is not None and JobState.DONE not in asked.states
    if asked.lookups or ended:
        return [JobQuery((asked,))]
    names = sorted({workflow_of(queue) for queue in queues if queue != FIRST_QUEUE})
    each = [replace(asked, lookups=frozenset({(BY_WORKFLOW, name)})) for name in names]
    chunks = [each[at : at + MOST_ALTERNATIVES] for at in range(0, len(each), MOST_ALTERNATIVES)]
    return [JobQuery(tuple(chunk)) for chunk in chunks] or [JobQuery(())]


def _lookups(workflow: object, tag: object, lookup: Mapping[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if workflow is not None:
        if not NAME.fullmatch(check_text("workflow", workflow)):
            raise ValidationError(f"workflow={workflow!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
        found.append((BY_WORKFLOW, str(workflow)))
    if tag is not None:
        found.append((BY_TAG, _text("tag", check_text("tag", tag))))
    for name, value in lookup.items():
        if not NAME.fullmatch(check_text("lookup", name)):
            raise ValidationError(f"lookup={name!r:.80} is no name of a field")
        found.append((name, _text(f"lookup {name!r}", value)))
    return found


def _text(what: str, value: object) -> str:
    text = lookup_text(value)
    if text is None:
        raise ValidationError(
            f"{what}={value!r:.80} cannot be looked up: give a str, int, float, UUID, Enum, date, datetime, Decimal or "
            "URL"
        )
    return text


def _statuses(status: object) -> frozenset[str] | None:
    if status is None:
        return None
    given: list[Any] = [status]
    if not isinstance(status, str):
        given = [*check_many("status", status, "statuses")]
    wrong = [one for one in given if one not in _STATUSES]
    if wrong or not given:
        raise ValidationError(f"status={status!r:.80}: name some of {', '.join(_STATUSES)}")
    return frozenset(given)


def _state_of(status: str) -> JobState:
    return JobState.DELAYED if status == "suspended" else JobState(status)


def _milliseconds(what: str, at: object) -> int:
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise ValidationError(f"{what}={at!r:.80}: give a datetime with a time zone, such as datetime.now(UTC)")
    return min(max(0, int(at.timestamp() * 1000)), LAST_MS + 1)


def _read(cursor: object) -> dict[str, str]:
    """Return the cursors of queries, by their numbers."""
    text = check_text("cursor", cursor)
    if not text:
        return {}
    try:
        found: dict[Any, Any] = json.loads(text)
        return {str(at): str(one) for at, one in found.items()}
    except (ValueError, AttributeError) as error:
        raise ValidationError("this is no cursor of list_runs: give what the page before had, or ''") from error


def _written(cursors: Mapping[str, str]) -> str:
    return json.dumps(dict(cursors), separators=(",", ":")) if cursors else ""
