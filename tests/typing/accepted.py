# pyright: strict
# ruff: noqa: T201 - a short way to use a value
"""What users write: mypy --strict and pyright strict accept every line of this file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial, wraps
from typing import Annotated, Literal, ParamSpec, TypeAlias, TypeVar, assert_type
from uuid import UUID

from pydantic import BaseModel, HttpUrl

import flows
from flows import (
    AttemptNext,
    BulkJob,
    BulkProgress,
    BulkResult,
    Cancel,
    ChildJob,
    ChildrenOf,
    ChildResult,
    Count,
    CreateNext,
    Creation,
    CurrentJob,
    Debounce,
    Explanation,
    Fail,
    Flow,
    FlowOptions,
    Job,
    JobError,
    JobOptions,
    JobRecord,
    JobResult,
    JobState,
    LogLine,
    Middleware,
    Page,
    ParentWorker,
    PastAttempt,
    Position,
    Query,
    QueueOptions,
    QueueState,
    Retention,
    Retries,
    Retry,
    Snooze,
    SyncBulkJob,
    TextPiece,
    Unique,
    Verdict,
    Worker,
    current_job,
    current_jobs,
)

JobT = TypeVar("JobT", bound=Job)
ResultT = TypeVar("ResultT")
P = ParamSpec("P")


class CreateAccess(BaseModel):
    """What `create_job` takes."""

    user_id: int
    guild_id: int
    role_ids: list[int]


class Prepare(Job):
    """The first queue's job."""

    user_id: int
    role_ids: list[int]


class Prepared(JobResult):
    """The first queue's result."""

    checks: int


class CheckAccess(Job):
    """The parent queue's job."""


class CheckRequirement(Job):
    """The child queue's job."""

    address: str


class Checked(JobResult):
    """The child queue's result."""

    ok: bool


class Decide(Job):
    """The last queue's job: it sees a result of the first queue, and those of the children."""

    user_id: int
    checks: int
    requirement: Annotated[list[ChildResult[Checked]], ChildrenOf("access-check", "requirement")]


class Decided(JobResult):
    """The last queue's result."""

    granted: bool


async def prepare(job: Prepare) -> Prepared:
    """Name the children."""
    children = [ChildJob(CheckRequirement, {"address": f"role {role}"}) for role in job.role_ids]
    return Prepared(checks=len(job.role_ids), children=children)


def prepare_in_a_thread(job: Prepare) -> Prepared:
    """Return the result from a plain function, and what every job has."""
    assert_type(job.id, str)
    assert_type(job.flow_name, str)
    assert_type(job.priority, int)
    assert_type(job.correlation_id, str | None)
    assert_type(job.attempt, int)
    assert_type(job.created_at, datetime)
    return Prepared(checks=job.user_id, next_queue="access-logic")


async def prepare_or_not(job: Prepare) -> Prepared | None:
    """Return a result or nothing."""
    return Prepared(checks=1) if job.role_ids else None


async def prepare_or_retry(job: Prepare) -> Prepared | Retry:
    """Return a result or a verdict."""
    return Prepared(checks=1) if job.role_ids else Retry("no roles yet", after=timedelta(seconds=5))


def prepare_or_any_verdict(job: Prepare) -> Prepared | Retry | Snooze | Fail | Cancel | None:
    """Return one of them from a plain function."""
    match job.user_id:
        case 0:
            return Retry()
        case 1:
            return Snooze("later", until=datetime.now(UTC))
        case 2:
            return Fail("no such user")
        case 3:
            return Cancel()
        case _:
            return Prepared(checks=1)


async def only_snooze(_job: Job) -> Snooze:
    """Return a verdict and nothing else, and read what an attempt may ask for."""
    verdict = Snooze("not yet", after=timedelta(minutes=5))
    assert_type(verdict.reason, str)
    assert_type(verdict.after, timedelta | None)
    assert_type(verdict.until, datetime | None)
    assert_type(current_job().deadline, float | None)
    assert_type(current_job().cancelled, bool)
    return verdict


def only_verdicts(job: Job) -> Verdict:
    """Return whichever, or raise it: it means the same."""
    if job.attempt > 1:
        raise Retry("again")
    return Cancel(f"{job.id} is not wanted")


async def check_requirement(job: CheckRequirement) -> Checked:
    """Work for a child queue."""
    return Checked(ok=bool(job.address))


async def decide(job: Decide) -> Decided:
    """See the children's results as typed models."""
    assert_type(job.requirement, list[ChildResult[Checked]])
    for child in job.requirement:
        assert_type(child.id, str)
        assert_type(child.result, Checked | None)
        assert_type(child.error, JobError | None)
    return Decided(granted=all(child.result is not None and child.result.ok for child in job.requirement))


def decide_in_a_process(job: Decide) -> Decided:
    """Run in a process of its own."""
    return Decided(granted=job.checks > 0)


async def any_job(job: Job) -> None:
    """Work for any queue, and speak of the attempt."""
    here = current_job()
    assert_type(here, CurrentJob)
    assert_type(here.idempotency_key, str)
    here.progress(0.5, f"half of {job.id}")
    here.log("a line")
    here.log("a line", "warning", rows=500)


async def any_jobs(job: JobT, *more: JobT) -> None:
    """Work for any queue, by a type variable."""
    print(job.id, more)


async def any_model(job: BaseModel) -> JobResult | None:
    """Know of the job that it is a model."""
    print(job)
    return None


async def prepare_with(client: str, job: Prepare, *, retries: int = 3) -> Prepared:
    """Need more than the job: `partial` gives it."""
    return Prepared(checks=len(client) + retries + job.user_id)


def timed(function: Callable[P, Awaitable[ResultT]]) -> Callable[P, Awaitable[ResultT]]:
    """Decorate a worker function."""

    @wraps(function)
    async def inner(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        return await function(*args, **kwargs)

    return inner


@timed
async def prepare_timed(job: Prepare) -> Prepared:
    """Be decorated."""
    return Prepared(checks=job.user_id)


class Notify:
    """A worker function with a state of its own."""

    async def __call__(self, job: Decide) -> Decided:
        """Do what `decide` does."""
        return Decided(granted=job.user_id > 0)

    def method(self, job: Decide) -> None:
        """Do it in a method."""


class Timed(Middleware):
    """Stand around every attempt, whatever its queue."""

    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Go on with the attempt, and see what it returns."""
        result = await call_next(job)
        assert_type(result, JobResult | Verdict | None)
        print(job.id, current.queue)
        return result


class Tagged(Middleware):
    """Stand around every creation."""

    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        """Let the job carry something."""
        assert_type(creation.carried, dict[str, str])
        creation.carried["tenant"] = creation.correlation_id or creation.queue
        return await call_next(creation)


class Nothing(Middleware):
    """Want nothing."""


Keys: TypeAlias = Literal["user_id", "guild_id", "role_ids"]
access = Flow[Prepare | CheckAccess | Decide, CreateAccess, Literal["user_id", "guild_id", "role_ids"]](
    FlowOptions(
        name="access",
        lookup_attributes=["user_id", "guild_id", "role_ids"],
        queues=[
            QueueOptions("access-preparation", job=Prepare, next_queue="access-check"),
            QueueOptions(
                "access-check",
                job=CheckAccess,
                next_queue="access-logic",
                children=[QueueOptions("requirement", job=CheckRequirement)],
                on_child_failure="fail",
            ),
            QueueOptions("access-logic", job=Decide),
        ],
        namespace="{access}",
        redis_url="redis://localhost:6379/0",
        job_ttl=None,
        retention=Retention(done=timedelta(hours=1), failed=timedelta(days=7)),
        max_payload=4096,
        lease=timedelta(seconds=10),
        hang_limit=timedelta(minutes=1),
        max_crashes=5,
        middleware=[Tagged(), Timed(), Nothing()],
    )
)

# Retries and timeouts, of queues and of child queues.
patient = Retries(
    max_attempts=8,
    backoff=timedelta(seconds=2),
    jitter=False,
    max_delay=timedelta(hours=1),
    retry_on=(OSError, TimeoutError),
    give_up_on=(PermissionError,),
)
stepwise = Retries(3, [timedelta(seconds=1), timedelta(minutes=1)])
tried = Flow[Prepare | CheckAccess, CreateAccess](
    FlowOptions(
        "tried",
        [
            QueueOptions("tried-first", Prepare, "tried-second", retries=patient, timeout=timedelta(seconds=20)),
            QueueOptions(
                "tried-second", CheckAccess, children=[QueueOptions("one", CheckRequirement, retries=stepwise)]
            ),
        ],
        allow_eviction=True,
    )
)

# Seconds as numbers, wherever a timedelta is taken; what is read of it is a timedelta.
hasty = Retries(backoff=1.5, max_delay=60)
steps = Retries(backoff=[1, 2.5, timedelta(minutes=1)])
seconds = FlowOptions(
    "seconds",
    [QueueOptions("seconds-only", Prepare, retries=hasty, timeout=20)],
    job_ttl=86_400,
    retention=3600.0,
    lease=10,
    hang_limit=60,
)
kept = Retention(done=60, failed=timedelta(days=1))
assert_type(seconds.lease, timedelta)
assert_type(seconds.job_ttl, timedelta | None)
assert_type(kept.done, timedelta)
assert_type(Retry(after=5).after, timedelta | None)
later = Snooze(after=0.5)

# One queue and no lookups: two type arguments do.
plain = Flow[Prepare, CreateAccess](FlowOptions("plain", [QueueOptions("plain-only", Prepare)]))

# An alias, of which flows are made and which is a type.
Access = Flow[Prepare | Decide, CreateAccess, Literal["user_id"]]
aliased = Access(
    FlowOptions(
        name="aliased",
        lookup_attributes=["user_id"],
        queues=[QueueOptions("aliased-first", job=Prepare), QueueOptions("aliased-second", job=Decide)],
        retention=timedelta(hours=1),
    )
)


class AccessFlow(Flow[Prepare, CreateAccess, Literal["user_id"]]):
    """A subclass with a method of its own."""

    async def of_user(self, user_id: int) -> list[JobRecord[CreateAccess]]:
        """Find a user's jobs."""
        return await self.get_jobs_by_key("user_id", user_id)


subclassed = AccessFlow(
    FlowOptions("subclassed", [QueueOptions("subclassed-only", job=Prepare)], lookup_attributes=["user_id"])
)

# Options that are made elsewhere name the types that they are for.
first = QueueOptions("apart-first", job=Prepare, next_queue="apart-second")
second = QueueOptions("apart-second", job=Decide)
options: FlowOptions[Prepare | Decide, Literal["user_id"]] = FlowOptions(
    name="apart", queues=[first, second], lookup_attributes=["user_id"]
)
apart = Access(options)
in_parts = Access(FlowOptions(name="in-parts", queues=[first, second], lookup_attributes=["user_id"]))


class PrepareMore(Prepare):
    """A subclass of one of the flow's job classes may stand for a queue too."""

    guild_id: int


async def prepare_more(job: PrepareMore) -> None:
    """Work on the subclass."""
    print(job.guild_id)


wider = Flow[Prepare, CreateAccess](
    FlowOptions("wider", [QueueOptions("wider-a", Prepare), QueueOptions("wider-b", PrepareMore)])
)
wider.create_workers(PrepareMore, prepare_more)
wider.create_workers(PrepareMore, prepare)


def names_of(flow: Access) -> list[str]:
    """Take the alias as a type."""
    flow.create_workers(Prepare, prepare)
    return [worker.queue for worker in flow.workers]


# Workers of a queue that is named by its class: every kind of function.
assert_type(access.create_workers(Prepare, prepare, count=2), list[Worker])
access.create_workers(Prepare, prepare_in_a_thread, 4, concurrency=8)
access.create_workers(Prepare, prepare_or_not)
access.create_workers(Prepare, any_job)
access.create_workers(Prepare, any_jobs)
access.create_workers(Prepare, any_model)
access.create_workers(Prepare, partial(prepare_with, "client", retries=1))
access.create_workers(Prepare, prepare_timed)
access.create_workers(Prepare, lambda job: Prepared(checks=len(job.role_ids)))
access.create_workers(Prepare, prepare_or_retry)
access.create_workers(Prepare, prepare_or_any_verdict, executor="process")
access.create_workers(Prepare, only_snooze)
access.create_workers(Prepare, only_verdicts)
access.create_workers(Prepare, lambda job: Retry() if job.user_id else None)
access.create_workers(Decide, decide)
access.create_workers(Decide, decide_in_a_process, executor="process", concurrency=2)
access.create_workers(Decide, Notify())
access.create_workers(Decide, Notify().method)
plain.create_workers(Prepare, prepare)
aliased.create_workers(Decide, decide)
subclassed.create_workers(Prepare, prepare)

# And by its name.
assert_type(access.create_workers("access-preparation", prepare, count=2), list[Worker])
access.create_workers("access-preparation", prepare_in_a_thread)
access.create_workers("access-preparation", any_job)
access.create_workers("access-preparation", any_jobs)
access.create_workers("access-preparation", any_model)
access.create_workers("access-preparation", prepare_timed)
access.create_workers("access-preparation", prepare_or_retry)
access.create_workers("access-preparation", only_verdicts)
access.create_workers("access-logic", decide_in_a_process, executor="process")
access.create_workers("access-logic", lambda job: print(job.id))

assert_type(access.create_parent_workers(CheckAccess), list[ParentWorker])
access.create_parent_workers("access-check", count=2, concurrency=4)

assert_type(access.create_child_workers(CheckAccess, CheckRequirement, check_requirement, count=8), list[Worker])
access.create_child_workers("access-check", "requirement", check_requirement, concurrency=4)
access.create_child_workers(CheckAccess, "requirement", check_requirement)
access.create_child_workers("access-check", CheckRequirement, any_job)
access.create_child_workers(CheckAccess, CheckRequirement, only_snooze)
access.create_child_workers(CheckAccess, CheckRequirement, lambda job: Checked(ok=job.address != ""))


async def prepare_many(jobs: list[Prepare]) -> list[Prepared | Verdict | Exception | None]:
    """Prepare a batch."""
    return [
        Prepared(checks=job.user_id) if current.attempt else None
        for job, current in zip(jobs, current_jobs(), strict=True)
    ]


def prepare_many_in_a_thread(jobs: Sequence[Prepare]) -> tuple[Prepared, ...]:
    """Do the same in a thread."""
    return tuple(Prepared(checks=job.user_id) for job in jobs)


async def check_many(jobs: list[CheckRequirement]) -> list[Checked]:
    """Work on a batch of children."""
    return [Checked(ok=bool(job.address)) for job in jobs]


ten_ms = timedelta(milliseconds=10)
assert_type(access.create_workers(Prepare, prepare_many, batch=100, linger=ten_ms), list[Worker])
access.create_workers(Prepare, prepare_many_in_a_thread, 2, batch=100, linger=0.01, concurrency=2)
access.create_workers("access-preparation", prepare_many, batch=100)
access.create_workers(Prepare, lambda jobs: [Prepared(checks=len(job.role_ids)) for job in jobs], batch=2)
access.create_child_workers(CheckAccess, CheckRequirement, check_many, batch=10)
access.create_child_workers("access-check", "requirement", check_many, batch=10)

# Decorated functions stay what they are.


@access.worker(Prepare, batch=100, linger=0.01)
async def decorated_many(jobs: list[Prepare]) -> list[Prepared | Retry]:
    """Work for batches."""
    return [Prepared(checks=job.user_id) for job in jobs]


@access.child_worker(CheckAccess, CheckRequirement, batch=10, concurrency=2)
def decorated_many_children(jobs: list[CheckRequirement]) -> list[Checked]:
    """Work for batches of children."""
    return [Checked(ok=bool(job.address)) for job in jobs]


@access.worker(Prepare, concurrency=10)
async def decorated(job: Prepare) -> Prepared:
    """Work for a queue that is named by its class."""
    return Prepared(checks=job.user_id)


@access.worker("access-preparation", count=2)
def decorated_by_name(job: Prepare) -> Prepared | None:
    """Work for a queue that is named by its name."""
    return Prepared(checks=job.user_id) if job.role_ids else None


@access.worker(Prepare, executor="process")
def decorated_for_processes(job: Prepare) -> Snooze:
    """Work in processes."""
    return Snooze(str(job.user_id), after=timedelta(seconds=1))


@access.worker(Decide)
@timed
async def decorated_twice(job: Decide) -> Decided:
    """Have another decorator below."""
    return Decided(granted=job.checks > 0)


@access.worker(Decide)
async def decorated_any(job: Job) -> None:
    """Work for any queue."""
    print(job.id)


@access.child_worker(CheckAccess, CheckRequirement, concurrency=4)
async def decorated_child(job: CheckRequirement) -> Checked:
    """Work for a child queue."""
    return Checked(ok=bool(job.address))


@access.child_worker("access-check", "requirement")
def decorated_child_by_name(job: CheckRequirement) -> Checked:
    """Work for a child queue that is named by its name."""
    return Checked(ok=bool(job.address))


class Client:
    """What a lifespan brings."""

    async def get(self, url: str) -> int:
        """Get it."""
        return len(url)


@asynccontextmanager
async def client() -> AsyncGenerator[Client]:
    """Open it."""
    yield Client()


class Pool:
    """A class is a lifespan too."""

    async def __aenter__(self) -> Client:
        """Open it."""
        return Client()

    async def __aexit__(self, *_error: object) -> None:
        """Close it."""


@access.worker(Prepare, lifespan=client, concurrency=4)
async def with_client(job: Prepare, client: Client) -> Prepared:
    """Get the client as the second argument."""
    return Prepared(checks=await client.get(str(job.user_id)))


@access.worker("access-preparation", lifespan=Pool)
def with_pool(job: Prepare, _client: Client) -> Prepared:
    """Get it in a thread."""
    return Prepared(checks=job.user_id)


@access.worker(Decide, lifespan=client, executor="process")
def with_client_in_a_process(job: Decide, _client: object) -> None:
    """Know less of it."""
    print(job.id)


@access.child_worker(CheckAccess, CheckRequirement, lifespan=client)
async def child_with_client(job: CheckRequirement, client: Client) -> Checked:
    """Have one in a child queue."""
    return Checked(ok=await client.get(job.address) > 0)


async def call_decorated() -> None:
    """Call them, as unit tests do."""
    first_job = Prepare(user_id=1, role_ids=[])
    assert_type(await decorated(first_job), Prepared)
    assert_type(decorated_by_name(first_job), Prepared | None)
    assert_type(decorated_for_processes(first_job), Snooze)
    assert_type(await with_client(first_job, Client()), Prepared)
    assert_type(with_pool(first_job, Client()), Prepared)
    assert_type(await decorated_child(CheckRequirement(address="x")), Checked)


async def use_keys() -> None:
    """Create jobs once."""
    params = CreateAccess(user_id=62, guild_id=1985, role_ids=[1, 2])
    assert_type(await access.create_job(params, idempotency_key="k", delay=5), str)
    assert_type(await access.create_job(params, unique=Unique("k", until="started")), str)
    assert_type(await access.create_job(params, unique=Unique("k", within=timedelta(hours=1))), str)
    assert_type(await access.create_job(params, debounce=Debounce("k", 5, longest=60)), str)


async def use() -> None:
    """Create, fetch, find, wait, cancel, retry and delete."""
    async with access as opened:
        assert_type(
            opened, Flow[Prepare | CheckAccess | Decide, CreateAccess, Literal["user_id", "guild_id", "role_ids"]]
        )
        params = CreateAccess(user_id=62, guild_id=1985, role_ids=[1, 2])
        job_id = await access.create_job(params, correlation_id="request-1")
        assert_type(job_id, str)
        options: JobOptions = {"delay": 5, "correlation_id": "request-1"}
        assert_type(await access.create_job(params, **options), str)
        assert_type(await access.create_job(params, delay=timedelta(hours=1)), str)
        assert_type(await access.create_job(params, run_at=datetime(2026, 5, 1, tzinfo=UTC)), str)
        assert_type(await access.create_jobs([params], delay=1.5), list[str])
        assert_type(await access.create_jobs(params for _ in range(3)), list[str])
        assert_type(await access.create_jobs([params]), list[str])

        done = await access.wait_for(job_id, timeout=10)
        assert_type(done, JobRecord[CreateAccess])
        assert_type(done.params.user_id, int)
        assert_type(done.params.role_ids, list[int])
        assert_type(done.view(Decided), Decided)
        assert_type(done.view(Decide).requirement, list[ChildResult[Checked]])
        assert_type(done.status, JobState)
        assert_type(done.queue, str)
        assert_type(done.attempts, int)
        assert_type(done.created_at, datetime)
        assert_type(done.worker, str)
        assert_type(done.history, list[PastAttempt])
        assert_type(done.history[-1].ended_at, datetime)
        assert_type(done.history[-1].error, tuple[str, str] | None)
        assert_type(done.error, JobError | None)
        assert_type(done.progress, tuple[float, str] | None)
        assert_type(done.child_ids, list[str])
        assert_type(done.child_jobs, list[JobRecord[BaseModel]])
        assert_type(done.child_jobs[0].view(Checked).ok, bool)

        assert_type(await access.get_job(job_id), JobRecord[CreateAccess] | None)
        assert_type(await access.get_job(job_id, resolve_children=True), JobRecord[CreateAccess] | None)
        some = await access.get_jobs([job_id, job_id], keys_to_get=["user_id"])
        assert_type(some, list[JobRecord[CreateAccess] | None])
        found = await access.get_jobs_by_key("user_id", 62, resolve_children=True)
        assert_type(found, list[JobRecord[CreateAccess]])
        await access.get_jobs_by_key("role_ids", "1", limit=10, offset=20, newest_first=True)
        await access.get_jobs_by_key("guild_id", 1985.0)
        await access.get_jobs_by_key("guild_id", UUID(int=7))
        await access.get_jobs_by_key("guild_id", date(2026, 1, 2))
        await access.get_jobs_by_key("guild_id", Decimal("1.5"))
        await access.get_jobs_by_key("guild_id", HttpUrl("https://example.org"))
        await access.get_jobs_by_key("guild_id", JobState.DONE)
        assert_type(await subclassed.of_user(62), list[JobRecord[CreateAccess]])

        assert_type(await access.cancel_job(job_id), Literal["cancelled", "requested", "too late"])
        await access.retry_job(job_id)
        assert_type(await access.delete_job(job_id), bool)
        assert_type(await access.get_log(job_id), list[LogLine])


async def follow() -> None:
    """Follow what a job streams."""
    async for piece in access.stream("7", after=None):
        assert_type(piece, TextPiece)


async def find() -> None:
    """Put queries together, and end them in pages and counts."""
    failed = access.jobs.where("user_id", 62).status("failed", JobState.CANCELLED)
    either = failed | (access.jobs.queue(Decide, "access-check") & access.jobs.created(since=datetime.now(UTC)))
    assert_type(either, Query[CreateAccess, Keys])
    page = await either.page(limit=10, newest_first=True)
    assert_type(page, Page[CreateAccess])
    assert_type(page.jobs, list[JobRecord[CreateAccess]])
    assert_type((await either.page(page.cursor)).looked_through, int)
    assert_type(await access.move_job((await access.jobs.page()).jobs[0].id, to=Decide), Literal["moved"])
    bulk = await either.retry(undo=timedelta(seconds=5))
    assert_type(bulk, BulkJob)
    assert_type(await bulk.wait(10), BulkResult)
    assert_type(await access.jobs.move(Decide), BulkJob)
    assert_type(await bulk.progress(), BulkProgress)
    assert_type((await (await access.jobs.cancel("why", undo=5)).wait(1)).done, int)
    await (await access.jobs.delete()).cancel()
    counted = await access.jobs.count()
    assert_type(counted, Count[CreateAccess])
    assert_type((counted.number, counted.exact, counted.sample[0].params.user_id), tuple[int, bool, int])
    assert_type(access.jobs.parse(str(either)), Query[CreateAccess, Keys])
    assert_type(access.bulk_job(bulk.id), BulkJob)
    assert_type(access.jobs.with_conditions(either.to_dict()), Query[CreateAccess, Keys])
    await plain.jobs.status("waiting").page()


async def any_key(key: Literal["user_id", "guild_id"]) -> None:
    """A variable is as good as a literal where its type says what it can be."""
    await access.get_jobs_by_key(key, 62)
    await access.jobs.where(key, 62).page()


async def run() -> None:
    """Start and stop, singly and together, and listen."""
    stop = access.events.subscribe(lambda event: print(event.name, event.fields))
    worker = access.create_workers(Prepare, prepare)[0]
    await worker.start()
    assert_type(worker.status, Literal["stopped", "running", "stopping"])
    await worker.stop(grace=1.0)
    await access.start_all()
    event = await access.events.wait_for("job.recorded", queue="access-logic")
    assert_type(event.fields, dict[str, object])
    await access.stop_all(grace=5)
    stop()
    assert_type(await access.run(), int)
    assert_type(await access.run(grace=None), int)


def plain_caller(job_id: str) -> None:
    """`flow.sync` takes and returns what the flow's own methods do."""
    params = CreateAccess(user_id=62, guild_id=1985, role_ids=[1, 2])
    assert_type(access.sync.create_job(params), str)
    assert_type(access.sync.create_job(params=params, correlation_id="request-1"), str)
    assert_type(access.sync.create_jobs([params], delay=5), list[str])
    assert_type(access.sync.get_job(job_id, resolve_children=True), JobRecord[CreateAccess] | None)
    assert_type(access.sync.get_jobs([job_id], keys_to_get=["user_id"]), list[JobRecord[CreateAccess] | None])
    assert_type(access.sync.get_jobs_by_key("user_id", 62, limit=10), list[JobRecord[CreateAccess]])
    assert_type(access.sync.wait_for(job_id, timeout=10).params, CreateAccess)
    assert_type(access.sync.cancel_job(job_id, "no"), Literal["cancelled", "requested", "too late"])
    assert_type(access.sync.retry_job(job_id), Literal["retried"])
    assert_type(access.sync.delete_job(job_id), bool)
    assert_type(access.sync.get_log(job_id), list[LogLine])
    assert_type(next(access.sync.stream(job_id, "7")), TextPiece)
    assert_type(access.sync.position(job_id), Position | None)
    assert_type(access.sync.explain(job_id), Explanation)
    assert_type(access.sync.states(), dict[str, QueueState])
    assert_type(access.sync.queue("access-logic").state(), QueueState)
    assert_type(access.sync.jobs.retry().wait(5), BulkResult)
    assert_type(access.sync.bulk_job(job_id), SyncBulkJob)
    query = access.sync.jobs.where("user_id", 62) | access.sync.jobs.status("failed").queue(Decide)
    assert_type(query.page(limit=5), Page[CreateAccess])
    assert_type(query.count().number, int)
    access.sync.close()


def runs() -> None:
    """Workers of one flow or of several, in a process of their own."""
    assert_type(flows.run(access), int)
    assert_type(flows.run(access, plain, grace=None, wait_for_server=None), int)
