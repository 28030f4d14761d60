"""Operations on many jobs at once: what a query matches is shown first, and then acted on by a job of the library."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import HIDDEN
from flows.api.reading.parts import parts_of
from flows.api.reading.query import JobQuery
from flows.api.reading.rows import job_rows
from flows.api.reading.search import Search, searched
from flows.api.reading.shortening import shortened
from flows.api.views.bulk import BulkPreview, BulkStarted, BulkView
from flows.api.views.time import Time
from flows.api.views.view import Acted
from flows.errors import JobGone, QueryChanged, StateError, StoreFull, ValidationError, WaitTimeout
from flows.kernel.callers.make_record import make_record
from flows.model.find.conditions import write_conditions
from flows.model.find.conjunction import Conjunction
from flows.model.find.query import JobQuery as Asked
from flows.model.ids import new_job_id
from flows.model.names import check_job_id
from flows.model.state import TERMINAL, JobState
from flows.pipeline.bulk.acting import STATES
from flows.pipeline.bulk.action import FREEING, BulkDone, BulkParams, BulkVerb, bulk_name
from flows.pipeline.bulk.tally import ERROR, Tally
from flows.store.jobs.fetch import Fetch
from flows.store.jobs.leases import server_ms

if TYPE_CHECKING:
    from flows.api.bulk_work import BulkWork

#: An action is refused where its query matches so much more or less than was seen.
_SHARE: Final = 0.1
_FIRST: Final = 0.02
_LONGEST: Final = 0.5
#: So many of its last lines are shown.
_LINES: Final = 20


@operation("bulk.preview")
async def preview(admin: Admin, verb: BulkVerb, query: JobQuery, *, flow: str | None = None) -> BulkPreview:
    """Show on how many jobs an action would act, of which queues, and the first ten of them.

    Args:
        verb: `retry`, `cancel`, `delete` or `move`.
        query: Which jobs.
        flow: The flow, where the query does not name it.

    Raises:
        QuerySyntaxError: the text is none of a query, or names what the flow does not have.
        ValidationError: the query names jobs by their ids: act on those one by one.
    """
    search = await _acted_on(admin, verb, query, flow)
    count, exact, sample = await search.counted()
    before = await server_ms(admin.connection, search.known.settings)
    view = BulkPreview(
        verb=verb,
        flow=search.known.name,
        query=query.text,
        count=count,
        exact=exact,
        sample=await job_rows(admin, search.known, sample),
        parts=await parts_of(search),
        before=datetime.fromtimestamp(before / 1000, UTC),
    )
    return shortened(view)


@operation("bulk.apply", role="operator", frees=True)
async def apply(
    admin: Admin,
    verb: BulkVerb,
    query: JobQuery,
    seen: Annotated[int, Field(ge=0)],
    *,
    undo: Time = timedelta(seconds=5),
    reason: Annotated[str, Field(max_length=1000)] = "cancelled",
    to: str = "",
    flow: str | None = None,
) -> BulkStarted:
    """Begin to retry, cancel, delete or move the jobs that a query matches and that are there by now.

    Args:
        verb: `retry`, `cancel`, `delete` or `move`.
        query: Which jobs.
        seen: How many `bulk.preview` has counted.
        undo: For so long nothing is done yet.
        reason: Why jobs are cancelled.
        to: The queue to which jobs are moved.
        flow: The flow, where the query does not name it.

    Raises:
        QueryChanged: it matches over a tenth more or fewer than were seen.
        ValidationError: the query names jobs by their ids, or there is no such queue.
        StoreFull: the server is full, and the action frees no memory.
    """
    search = await _acted_on(admin, verb, query, flow)
    known = search.known
    known.check_times()
    if (verb == "move") != bool(to):
        raise ValidationError("to= is for `move`, and says to which queue")
    if to and ":" in known.check_queue(to):
        raise ValidationError(f"{to!r} is a child queue, in which only children of its parents wait")
    if undo < timedelta(0) or undo > timedelta(days=1):
        raise ValidationError("undo: give a time of up to a day")
    count, exact, _sample = await search.counted()
    if count - seen > seen * _SHARE or (exact and seen - count > seen * _SHARE):
        raise QueryChanged(count, seen)
    params = BulkParams(
        flow=known.name,
        verb=verb,
        query=json.dumps(search.asked.to_dict(), separators=(",", ":")),
        before_ms=await server_ms(admin.connection, known.settings) + 1,
        having=write_conditions(search.conditions),
        reason=reason if verb == "cancel" else "",
        to=to,
    )
    work = await admin.bulk.of(known.name)
    started, word = "", "begun"
    try:
        async with work.flow.used():
            started = await work.flow.actions.create(params, {"delay": undo})
    except StoreFull:
        if verb not in FREEING:
            raise
        started, word = new_job_id(), "begun here"
        work.begin_here(started, params, undo.total_seconds())
    else:
        if admin.bulk.serving:
            work.start()
    return BulkStarted(word=word, id=started, flow=known.name, count=count, undo=undo.total_seconds())


@operation("bulk.show")
async def show(admin: Admin, id: str) -> BulkView:
    """Show how far an action on many jobs is, or how it has ended.

    Args:
        id: Of the action, as `bulk.apply` has answered it.

    Raises:
        JobGone: there is none of this id.
    """
    work = await _work_of(admin, id)
    return await _view(admin, work, id)


@operation("bulk.wait", role="operator", acts=False)
async def wait(admin: Admin, id: str, timeout: Time = timedelta(minutes=1)) -> BulkView:
    """Wait until an action on many jobs has ended; this process does it where no other one does.

    Args:
        id: Of the action.
        timeout: For how long, an hour at most.

    Raises:
        JobGone: there is none of this id.
        WaitTimeout: it has not ended in time, and goes on.
    """
    if not timedelta(0) < timeout <= timedelta(hours=1):
        raise ValidationError("timeout: give a time of up to an hour")
    work = await _work_of(admin, id)
    if id not in work.direct:
        work.start()
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + timeout.total_seconds(), _FIRST
    while (found := await _view(admin, work, id)).state not in TERMINAL:
        left = deadline - loop.time()
        if left <= 0:
            raise WaitTimeout(f"action {id} is still {found.state} after {timeout.total_seconds():g} s")
        await asyncio.sleep(min(left, pause))
        pause = min(_LONGEST, pause * 2)
    return found


@operation("bulk.cancel", role="operator", frees=True)
async def cancel(admin: Admin, id: str) -> Acted:
    """Undo an action on many jobs: in its undo window none was touched yet; later, the rest is left as it is.

    Args:
        id: Of the action.

    Raises:
        JobGone: there is none of this id.
        StateError: it has ended.
    """
    work = await _work_of(admin, id)
    if id in work.direct:
        word = "cancelled" if work.cancel_here(id) else "too late"
    else:
        async with work.flow.used():
            word = await work.flow.actions.cancel(id, "cancelled")
    if word == "too late":
        raise StateError(id, "over", "cancelled")
    return Acted(word=word, id=id, flow=work.name)


async def _acted_on(admin: Admin, verb: BulkVerb, query: JobQuery, flow: str | None) -> Search:
    """Return the search for what a verb acts on: of the jobs of a query, those in a state that it changes."""
    if query.ids:
        raise ValidationError("a query that names jobs by id: is for looking: act on those one by one, by jobs.retry …")
    search = await searched(admin, query, flow)
    states = Asked((Conjunction(states=STATES[verb]),))
    return Search(admin, search.known, query, search.asked & states)


async def _work_of(admin: Admin, action_id: str) -> BulkWork:
    """Return what this process has of the bulk actions of the flow of which one is."""
    action_id = check_job_id(action_id)
    here = admin.bulk.holding(action_id)
    if here is not None and admin.sees(here.name):
        return here
    own = await admin.flow_of_job(action_id)
    flow = next((name for name in await admin.flows() if bulk_name(name) == own), None)
    if flow is None:
        raise JobGone(action_id)
    return await admin.bulk.of(flow)


async def _view(admin: Admin, work: BulkWork, action_id: str) -> BulkView:
    if action_id in work.direct:
        direct = work.direct[action_id]
        tally, state, error, verb, lines = direct.tally, direct.state, direct.error, direct.verb, list[str]()
    else:
        settings, flow = work.settings, bulk_name(work.name)
        fetch = Fetch(admin.connection, settings)
        [found] = await fetch.hashes([(flow, action_id)])
        if found is None:
            raise JobGone(action_id)
        record = make_record(settings, flow, action_id, found, BulkParams)
        tally, state = Tally.from_json(found.get("_progress")), record.status
        if state == JobState.DONE:
            tally.words = Counter(record.view(BulkDone).words)
        error = None if record.error is None else record.error.message
        verb = record.params.verb
        lines = [line.text for line in await fetch.log(flow, action_id)][-_LINES:]
    done, failed = tally.done, tally.words.get(ERROR, 0)
    hidden = bool(admin.caller.hidden(work.name))
    return BulkView(
        id=action_id,
        flow=work.name,
        verb=verb,
        state=state,
        value=1.0 if state == JobState.DONE else tally.value,
        words=dict(tally.words),
        done=done,
        skipped=tally.words.total() - done - failed,
        failed=failed,
        error=HIDDEN if hidden and error else error,
        log=[] if hidden else lines,
    )
