"""Operations that look at jobs: `jobs.find`, `jobs.show`, `jobs.explain`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import HIDDEN, Hiding
from flows.api.reading.query import ALL_JOBS, JobQuery
from flows.api.reading.rows import job_view
from flows.api.reading.search import searched
from flows.api.reading.shortening import shortened
from flows.api.views.jobs import ExplanationView, JobCounts, JobPage, JobView
from flows.errors import JobGone, ValidationError
from flows.kernel.limits.limit_facts import with_limits
from flows.model.explain.reasons import REASONS
from flows.model.explain.reasons import explain as explained
from flows.model.names import check_job_id
from flows.store.fleet.declarations import read_declared_results
from flows.store.jobs.fetch import Fetch
from flows.store.rules.read_limits import limits_of_job
from flows.store.views.explain import situation

#: Which reason is ended by what.
_REMEDIES: Final = {reason.name: reason.remedy for reason in REASONS}


@operation("jobs.find")
async def find(
    admin: Admin,
    query: JobQuery = ALL_JOBS,
    *,
    flow: str | None = None,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
    at: Annotated[int, Field(ge=0)] | None = None,
) -> JobPage:
    """Find jobs by a query: `flow:access user_id:62 state:failed error:Timeout since:1h`.

    Args:
        query: Words that all have to hold; without one, all jobs of the flow.
        flow: The flow, where the query does not name it, and there are several.
        cursor: Where to go on: what the page before had.
        limit: So many jobs at most.
        at: Begin at this place, from 0 on, without a cursor: in the list of one queue and state.

    Raises:
        QuerySyntaxError: the text is none of a query, or names what the flow does not have.
        ValidationError: no flow is named, the cursor is none of this query, or its jobs have no places.
        Forbidden: the query searches by what is hidden from the caller.
    """
    if cursor and at is not None:
        raise ValidationError("give cursor= or at=, not both")
    return shortened(await (await searched(admin, query, flow)).page(cursor, limit, at=at))


@operation("jobs.count")
async def count(admin: Admin, query: JobQuery = ALL_JOBS, *, flow: str | None = None) -> JobCounts:
    """Count the jobs of a query by state, whatever `state:` it asks for; of each, at most 1,000 are looked at.

    Args:
        query: Words that all have to hold.
        flow: The flow, where the query does not name it, and there are several.

    Raises:
        QuerySyntaxError: the text is none of a query, or names what the flow does not have.
        Forbidden: the query searches by what is hidden from the caller.
    """
    search = await searched(admin, query, flow)
    return JobCounts(flow=search.known.name, states=await search.by_state())


@operation("jobs.show")
async def show(admin: Admin, id: str, *, whole: bool = False, flow: str | None = None) -> JobView:
    """Show a job: where it is, its fields, its way through the queues, its attempts and its error.

    Args:
        id: Of the job, or of a child.
        whole: Whether long texts and values are shown in full.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
    """
    name, job_id = flow or await admin.flow_of_job(id), check_job_id(id)
    known = await admin.flow(name)
    results = await read_declared_results(admin.connection, known.settings, known.name)
    found = await job_view(admin, known, name, job_id, results)
    if found is None:
        raise JobGone(job_id)
    return shortened(found, whole=whole)


@operation("jobs.explain")
async def explain(admin: Admin, id: str, *, flow: str | None = None) -> ExplanationView:
    """Say why a job is where it is, and what makes it go on.

    Args:
        id: Of the job, or of a child.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id, and no flow was named.
    """
    name, job_id = flow or await admin.flow_of_job(id), check_job_id(id)
    known = await admin.flow(name)
    found = await situation(admin.connection, known.settings, {}, job_id)
    if found.kind == "hash" and found.due and found.queue in known.settings.rules:
        limits = await limits_of_job(admin.connection, known.settings, found.queue, job_id)
        found = with_limits(found, limits)
    hiding = Hiding(admin.caller, known.name, found.flow)
    if hiding.errors and found.error is not None:
        found = replace(found, error=(found.error[0], HIDDEN))
    secrets = hiding.secrets({})
    if hiding.names:
        [fields] = await Fetch(admin.connection, known.settings).hashes([(found.flow, job_id)], sorted(hiding.names))
        secrets = hiding.secrets(fields or {})
    said = explained(found)
    view = ExplanationView(
        id=job_id,
        flow=found.flow,
        sentence=secrets.out_of(said.sentence),
        reason=said.reason,
        remedy=_REMEDIES[said.reason],
        facts=secrets.out_of(dict(said.facts)),
    )
    return shortened(view)
