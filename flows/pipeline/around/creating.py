"""Creates the jobs of a flow whose middleware wants to see that; other flows create theirs by `JobActions` alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel

from flows.errors import ValidationError
from flows.kernel.around.middleware import Creation, around_creation, that_create
from flows.model.arguments import check_many
from flows.model.creation.job_options import check_options
from flows.model.values.carried import carried_fields
from flows.pipeline.job_actions import JobActions
from flows.pipeline.signature import ParamsT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flows.kernel.around.middleware import CreateNext, Middleware
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.creation.job_options import CheckedOptions, JobOptions
    from flows.pipeline.declaration import Declaration
    from flows.pipeline.job_actions import Preparing

PreparedT = TypeVar("PreparedT")

#: How many bytes of jobs are written at once.
_MANY_BYTES: Final = 1 << 17


def job_actions(runtime: Runtime, declaration: Declaration, params: type[ParamsT]) -> JobActions[ParamsT]:
    """Return what acts on the jobs of a flow, with its middleware around each creation where some wants that."""
    middleware = that_create(declaration.options.middleware)
    if not middleware:
        return JobActions(runtime, declaration, params)
    return _Creating(runtime, declaration, params, middleware)


class _Creating(JobActions[ParamsT]):
    """Creates jobs with middleware around it."""

    def __init__(
        self, runtime: Runtime, declaration: Declaration, params: type[ParamsT], middleware: Sequence[Middleware]
    ) -> None:
        super().__init__(runtime, declaration, params)
        self._middleware = middleware
        self._queue = declaration.options.queues[0].name

    async def create(self, params: ParamsT, options: JobOptions) -> str:
        """Create a job and return its id, or what middleware returns in its place."""
        checked = self._checked("create_job", options)
        self._check(params)
        self._check_kept(checked)

        async def write(creation: Creation) -> str:
            batch = _Batch(await self._runtime.open(), checked)
            self._add(batch, creation)
            return (await batch.write())[0]

        return await self._around(write)(self._creation(params, checked))

    async def create_many(self, many: Iterable[ParamsT], options: JobOptions) -> list[str]:
        """Create a job for each of many params; middleware sees each, and they are written many at a time."""
        if isinstance(many, BaseModel):
            raise ValidationError(f"create_jobs takes many {self._params.__name__}: for one, use create_job")
        check_many("many", many, self._params.__name__)
        checked = self._checked("create_jobs", options)
        batch = _Batch(await self._runtime.open(), checked)

        async def keep(creation: Creation) -> str:
            return self._add(batch, creation)

        create, ids = self._around(keep), list[str]()
        for params in many:
            self._check(params)
            ids.append(await create(self._creation(params, checked)))
            if batch.size >= _MANY_BYTES:
                await batch.write()
        await batch.write()
        return ids

    def _around(self, end: CreateNext) -> CreateNext:
        return around_creation(self._middleware, end)

    def _creation(self, params: ParamsT, options: CheckedOptions) -> Creation:
        return Creation(self._flow, self._queue, params, options.correlation_id)

    def _add(self, batch: _Batch, creation: Creation) -> str:
        """Prepare the job that middleware asks for, and return its id."""
        params = cast("ParamsT", creation.params)  # middleware may have put in others, which are checked
        asked = check_options("create_job", {"correlation_id": creation.correlation_id})
        options = replace(batch.options, correlation_id=asked.correlation_id)
        carrying = _Carrying(batch.preparing, carried_fields(creation.carried))
        return batch.add(self._prepared(carrying, self._check(params), options))


class _Batch:
    """Jobs that are to be written at once, by a transaction or on a condition."""

    def __init__(self, session: Session, options: CheckedOptions) -> None:
        self.options = options
        self.size = 0
        self.preparing: Preparing[Any] = session.delayed_creation if options.conditional else session.creation
        self._session = session
        self._jobs: list[Any] = []

    def add(self, job: Any) -> str:
        """Add a job that is ready to be created, and return its id."""
        self._jobs.append(job)
        self.size += len(job.data)
        job_id: str = job.id
        return job_id

    async def write(self) -> list[str]:
        """Create the jobs that were added since the last time, and return the ids of what is there now."""
        jobs, self._jobs, self.size = self._jobs, [], 0
        if self.options.conditional:
            options = self.options
            return await self._session.delayed_creation.create(options.due, jobs, options.condition)
        if jobs:
            await self._session.creation.create(*jobs)
        return [job.id for job in jobs]


class _Carrying(Generic[PreparedT]):
    """Prepares jobs that carry something."""

    def __init__(self, to: Preparing[PreparedT], carried: Mapping[str, bytes]) -> None:
        self._to = to
        self._carried = carried

    def prepare(
        self, job_id: str, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]], /
    ) -> PreparedT:
        """Return a job that is ready to be created, with what it carries among its fields."""
        return self._to.prepare(job_id, {**fields, **self._carried}, attributes)
