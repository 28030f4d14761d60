# pyright: strict
# ruff: noqa: T201 - a short way to use a value
"""What users may get wrong: both checkers refuse every line that is marked so, and no other line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from accepted import (
    CheckAccess,
    Checked,
    CheckRequirement,
    Client,
    CreateAccess,
    Decide,
    Nothing,
    Prepare,
    Prepared,
    access,
    any_job,
    check_requirement,
    client,
    decide,
    plain,
    prepare,
    prepare_many,
    subclassed,
    with_client,
)

from flows import (
    Cancel,
    ChildJob,
    Debounce,
    Fail,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    QueueOptions,
    Retries,
    Retry,
    Snooze,
    Unique,
)


class Other(Job):
    """A job class of no flow."""

    x: int


async def other(job: Other) -> None:
    """Work for no flow."""
    print(job.x)


async def bad_result(job: Prepare) -> int:
    """Return no result."""
    return job.user_id


def bad_result_in_a_thread(job: Prepare) -> dict[str, int]:
    """Return no result either."""
    return {"user_id": job.user_id}


async def bad_many(jobs: list[Prepare]) -> list[int]:
    """Return no results."""
    return [job.user_id for job in jobs]


async def one_for_many(jobs: list[Prepare]) -> Prepared:
    """Return one result."""
    return Prepared(checks=len(jobs))


async def bad_verdict(job: Prepare) -> Prepared | type[Retry]:
    """Return a verdict's class."""
    return Prepared(checks=1) if job.role_ids else Retry


def bad_error(job: Prepare) -> Prepared | ValueError:
    """Return an error: only verdicts can be returned."""
    return ValueError(job.user_id)


async def no_job() -> None:
    """Take no job."""


async def two_jobs(job: Prepare, more: int) -> None:
    """Take more than a job."""
    print(job, more)


async def with_number(job: Prepare, number: int) -> None:
    """Take a number."""
    print(job, number)


async def no_context() -> Client:
    """Return a client, and no context manager."""
    return Client()


async def undeclared(job: Prepare) -> None:
    """Read a field that the job class does not declare."""
    print(job.guild_id)  # refused


# Workers of a queue.
access.create_workers(Prepare, decide)  # refused: another queue's function
access.create_workers(Decide, prepare)  # refused
access.create_workers(Prepare, other)  # refused
access.create_workers(Other, other)  # refused: a class outside the union
access.create_workers(Other, any_job)  # refused
access.create_workers(Job, any_job)  # refused: a class above those of the union
plain.create_workers(Decide, decide)  # refused
subclassed.create_workers(Decide, decide)  # refused
access.create_workers(CreateAccess, any_job)  # refused: no job class
access.create_workers(Prepare, bad_result)  # refused: an int is no result
access.create_workers(Prepare, bad_result_in_a_thread)  # refused
access.create_workers("access-preparation", bad_result)  # refused
access.create_workers(Prepare, bad_verdict)  # refused: it is not called
access.create_workers(Prepare, bad_error)  # refused: it is to be raised
access.create_workers("access-preparation", bad_verdict)  # refused
access.create_workers(Prepare, lambda _job: Fail)  # refused
access.create_child_workers(CheckAccess, CheckRequirement, bad_error)  # refused
access.create_workers(Prepare, lambda job: job.user_id)  # refused
access.create_workers(Prepare, lambda job: Prepared(checks=job.guild_id))  # refused: no such field
access.create_workers(Prepare, no_job)  # refused
access.create_workers(Prepare, two_jobs)  # refused
access.create_workers(Prepare, prepare(Prepare(user_id=1, role_ids=[])))  # refused: called too early
access.create_workers(Prepare)  # refused: no function
access.create_workers(Prepare, prepare, count="2")  # refused
access.create_workers(Prepare, prepare, executor="threads")  # refused

access.create_workers("access-preparation", no_job)  # refused
access.create_workers(62, any_job)  # refused
access.create_workers(Prepare, prepare_many)  # refused: it takes a list, and there is no batch=
access.create_workers(Prepare, prepare, batch=10)  # refused: it takes one job
access.create_workers(Decide, prepare_many, batch=10)  # refused: another queue's function
access.create_workers(Prepare, bad_many, batch=10)  # refused: an int is no result
access.create_workers(Prepare, one_for_many, batch=10)  # refused: one result for all of them
access.create_workers(Prepare, prepare_many, batch=10, executor="process")  # refused
access.create_workers(Prepare, prepare, linger=0.1)  # refused: lingering for what?
access.create_workers(Prepare, prepare_many, batch="10")  # refused
access.create_child_workers("access-check", CheckRequirement, prepare_many, batch=2)  # refused

# Workers of a parent queue.
access.create_parent_workers(Other)  # refused: a class outside the union
access.create_parent_workers(CheckRequirement)  # refused: a child's class
access.create_parent_workers(CheckAccess, prepare)  # refused: it takes no function

# Workers of a child queue.
access.create_child_workers(Other, CheckRequirement, check_requirement)  # refused: a class outside the union
access.create_child_workers(CheckAccess, CheckRequirement, prepare)  # refused: another queue's function
access.create_child_workers(CheckAccess, CheckRequirement, bad_result)  # refused
access.create_child_workers(CheckAccess, Checked, check_requirement)  # refused: a result class
access.create_child_workers("access-check", "requirement", bad_result)  # refused


# Decorators: which line is marked is each checker's own, so both stand in one.
access.worker(Prepare)(decide)  # refused: another queue's function
access.worker(Other)(other)  # refused: a class outside the union
access.worker(Prepare)(bad_result)  # refused: an int is no result
access.worker("access-preparation")(bad_result)  # refused
access.worker(Prepare)(two_jobs)  # refused
access.worker(Prepare)(no_job)  # refused
access.worker(prepare)  # refused: the queue has to be named
access.worker(Prepare, prepare)  # refused: the function comes below
access.worker(Prepare, concurrency="2")  # refused
access.worker(Prepare, executor="threads")  # refused
access.worker(Prepare, batch=10)(prepare)  # refused: it takes one job
access.worker(Prepare)(prepare_many)  # refused: it takes a list
access.worker(Prepare, batch=10)(bad_many)  # refused
access.worker(Prepare, batch=10, executor="process")  # refused
access.worker(Prepare, batch=10, lifespan=client)(prepare_many)  # refused: it takes no second argument
access.worker(Prepare, lifespan=client)(prepare)  # refused: it takes no second argument
access.worker(Prepare, lifespan=client)(with_number)  # refused: it takes another one
access.worker("access-preparation", lifespan=client)(with_number)  # refused
access.worker(Decide, lifespan=client)(with_client)  # refused: another queue's function
access.worker(Prepare)(with_client)  # refused: nothing brings its second argument
access.worker(Prepare, lifespan=client())  # refused: it is called
access.worker(Prepare, lifespan=no_context)  # refused: it brings no context manager
access.create_workers(Prepare, with_client, lifespan=client)  # refused: that is for decorators
access.child_worker(CheckAccess, CheckRequirement)(prepare)  # refused: another queue's function
access.child_worker(Other, CheckRequirement)(check_requirement)  # refused: a class outside the union
access.child_worker(CheckAccess, Checked)  # refused: a result class
access.child_worker("access-check", "requirement")(bad_result)  # refused

# Declarations.
FlowOptions(name="x", queues=[QueueOptions("q", job=Checked)])  # refused: a result class
QueueOptions("q", job=Prepare, children=[CheckRequirement])  # refused: a class is no child queue
QueueOptions("q", Prepare, None, [], "fail")  # refused: the policy has a name
QueueOptions("q", job=Prepare, on_child_failure="stop")  # refused
QueueOptions("q", job=Prepare, retries=3)  # refused: a number says nothing of the delays
QueueOptions("q", job=Prepare, retries=Retries)  # refused: it is not called
QueueOptions("q", job=Prepare, timeout="20s")  # refused: a text has no unit
FlowOptions(name="x", queues=[QueueOptions("q", job=Prepare)], retries=Retries())  # refused: it is a queue's
Retries(max_attempts="5")  # refused
Retries(backoff="1s")  # refused: a text has no unit
Retries(backoff=["1", "2"])  # refused
Retries(max_delay="600")  # refused
Unique("k", until="over")  # refused
Unique("k", "ended")  # refused: the rule has a name
Debounce("k")  # refused: for how long?
Debounce("k", 5, 60)  # refused: the longest has a name
Retries(retry_on=[OSError])  # refused: a tuple
Retries(retry_on=(OSError("x"),))  # refused: classes
Retries(give_up_on=PermissionError)  # refused
FlowOptions(name="x", queues=[QueueOptions("q", job=Prepare)], job_ttl="1h")  # refused: a text has no unit
FlowOptions(name="x", queues=[QueueOptions("q", job=Prepare)], middleware=[print])  # refused: no middleware
FlowOptions(name="x", queues=[QueueOptions("q", job=Prepare)], middleware=[Nothing])  # refused: it is not made
FlowOptions(name="x", queues=[QueueOptions("q", job=Prepare)], middleware=Nothing())  # refused: not in a list
UserFlow = Flow[Prepare, CreateAccess, Literal["user_id"]]
q = QueueOptions("q", job=Prepare)
UserFlow(FlowOptions(name="x", queues=[q], lookup_attributes=["role"]))  # refused: outside LookupKeys
UserFlow(FlowOptions(name="x", queues=[QueueOptions("q", job=Other)]))  # refused: outside the union
UserFlow(FlowOptions(name="x", queues=[q, QueueOptions("r", job=Decide)]))  # refused
Flow[Prepare, CreateAccess](FlowOptions(name="x", queues=[q], lookup_attributes=["user_id"]))  # refused
Flow[int, CreateAccess]  # refused: no job class
Flow[Prepare, dict[str, int]]  # refused: no model
Flow[Prepare, CreateAccess, int]  # refused: no text
Flow[Prepare]  # refused: no Params
Flow[Prepare, CreateAccess]()  # refused: no options

# Verdicts.
Retry(after="5s")  # refused: a text has no unit
Retry("busy", timedelta(seconds=5))  # refused: the delay has a name
Retry("busy", until=datetime.now(UTC))  # refused: only a snooze has a time
Snooze(5)  # refused
Snooze("later", until=5)  # refused
Fail("no", after=timedelta(seconds=5))  # refused: it does not come back
Cancel(reason=None)  # refused

# Children and results.
ChildJob(Checked, {"address": "x"})  # refused: a result class
ChildJob(CheckRequirement)  # refused: no params
ChildJob(CheckRequirement, "x")  # refused
Prepared(checks=1, children=[CheckRequirement(address="x")])  # refused: no ChildJob
Prepared(checks=1, next_queue=Decide)  # refused: a queue goes by its name here
JobResult(children=[ChildJob("requirement", {"address": 1})], next_queue=1)  # refused


async def use(job_id: str, key: str) -> None:
    """Jobs from the outside."""
    params = CreateAccess(user_id=62, guild_id=1985, role_ids=[1, 2])
    await access.create_job(Prepared(checks=1))  # refused: no Params
    await access.create_job(Prepare(user_id=62, role_ids=[1]))  # refused
    await access.create_job({"user_id": 62, "guild_id": 1985, "role_ids": [1]})  # refused
    await access.create_job()  # refused
    await access.create_job(params, "request-1")  # refused: correlation_id has a name
    await access.create_job(params, dely=5)  # refused: no such option
    await access.create_job(params, delay="5")  # refused
    await access.create_job(params, idempotency_key=5)  # refused
    await access.create_job(params, unique="k")  # refused: it takes a Unique
    await access.create_job(params, debounce=5)  # refused
    await access.create_jobs([params], run_at=5)  # refused
    await access.create_jobs(params)  # refused: one is not many
    await access.create_jobs([Prepared(checks=1)])  # refused
    access.create_job(params)  # refused: not awaited
    print(access.create_job(params).upper())  # refused
    await access.get_jobs_by_key("wrong", 62)  # refused
    await access.get_jobs_by_key(key, 62)  # refused: any text
    await access.get_jobs_by_key("user_id", [62])  # refused: one value
    await access.get_jobs_by_key("user_id", None)  # refused
    await plain.get_jobs_by_key("user_id", 62)  # refused: it has no lookups
    await subclassed.get_jobs_by_key("guild_id", 62)  # refused
    access.jobs.where("wrong", 62)  # refused
    access.jobs.where(key, 62)  # refused: any text
    access.jobs.where("user_id", None)  # refused
    access.jobs.where("user_id")  # refused: which?
    plain.jobs.where("user_id", 62)  # refused: it has no lookups
    subclassed.jobs.where("guild_id", 62)  # refused
    access.jobs.status("over")  # refused: no state
    access.jobs.queue(Prepared)  # refused: no job class
    access.jobs.created(since=5)  # refused
    access.jobs | subclassed.jobs  # refused: of another flow
    access.jobs & "failed"  # refused
    print(access.jobs.page().jobs)  # refused: not awaited
    print((await access.jobs.page()).jobs[0].params.nothing)  # refused
    await access.wait_for(job_id)  # refused: for how long?
    await access.wait_for(62, timeout=1)  # refused
    done = await access.wait_for(job_id, timeout=1)
    print(done.params.nothing)  # refused
    print(done.history[0].duration)  # refused
    print(done.view(Decide).role_ids)  # refused
    print(done.view(dict))  # refused
    print((await access.get_job(job_id)).params)  # refused: it may be gone
    print((await access.get_jobs([job_id]))[0].params)  # refused
    print([record async for record in access.get_jobs([job_id])])  # refused: it is one answer


def plain_caller(job_id: str, key: str) -> None:
    """The same mistakes in plain calls."""
    params = CreateAccess(user_id=62, guild_id=1985, role_ids=[1, 2])
    access.sync.create_job(Prepared(checks=1))  # refused: no Params
    access.sync.create_job()  # refused
    access.sync.create_job(params, "request-1")  # refused: correlation_id has a name
    access.sync.create_job(params, delay="5")  # refused
    access.sync.create_jobs(params)  # refused: one is not many
    access.sync.get_jobs_by_key("wrong", 62)  # refused
    access.sync.get_jobs_by_key(key, 62)  # refused: any text
    access.sync.jobs.where("wrong", 62)  # refused
    access.sync.jobs.where(key, 62)  # refused: any text
    access.sync.jobs.status("over").page()  # refused: no state
    access.sync.wait_for(job_id)  # refused: for how long?
    print(access.sync.get_job(job_id).params)  # refused: it may be gone
    print(access.sync.wait_for(job_id, 1).params.nothing)  # refused
    access.sync.start_all()  # refused: workers run in a loop
