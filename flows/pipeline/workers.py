"""Makes the workers of a queue from a worker function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from flows.kernel.around.batch_handler import check_batching, make_batch_handler
from flows.kernel.attempt_runner import AttemptRunner
from flows.kernel.deploy.misfits import Misfits
from flows.kernel.handler import make_handler
from flows.kernel.resources import Lifespan
from flows.kernel.runtime import Runtime
from flows.kernel.worker import Worker
from flows.model.option_checks import check_number
from flows.model.plan import QueuePlan
from flows.pipeline.around.carrying import carrying
from flows.pipeline.worker_function import check_worker_function

if TYPE_CHECKING:
    from datetime import timedelta

    from flows.kernel.handler import Handler


@dataclass(frozen=True)
class WorkerOptions:
    """What `create_workers` was given beside the function, in its words."""

    count: int
    concurrency: int
    executor: Literal["process"] | None = None
    batch: int | None = None
    linger: timedelta | float | None = None


def function_workers(
    runtime: Runtime,
    plan: QueuePlan,
    function: Callable[[Any], Any],
    options: WorkerOptions,
    lifespan: Lifespan | None = None,
    *,
    bound: bool = True,
) -> list[Worker]:
    """Return workers of a queue; `lifespan` opens the function's second argument, if it has one.

    A function that is just being decorated is not `bound` to its name yet.

    Raises:
        DeclarationError: a number is not positive, or the function cannot be used.
    """
    check_worker_options(plan, options)
    flow, middleware = runtime.settings.flow_of(plan.queue), runtime.options.middleware

    async def results(job_id: str, queue: str, of: str) -> bytes | None:
        return await runtime.children_results(of or flow, job_id, queue)

    workers: list[Worker] = []
    for _ in range(options.count):
        handler = _handler(plan, function, options, lifespan, bound=bound)
        check_worker_function(plan, function, batch=options.batch)
        misfits = Misfits(plan, partial(runtime.read_job, flow), runtime.other_releases, runtime.events)
        runner = AttemptRunner(handler, plan, flow, results, misfits, middleware)
        # Of a batch, each job has a lane: so many wait for each other, or run together.
        lanes = options.concurrency * (options.batch or 1)
        workers.append(Worker(runtime, plan.queue, carrying(runner, middleware), lanes, handler))
    return workers


def check_worker_options(plan: QueuePlan, options: WorkerOptions) -> None:
    """Check what workers of a queue are to be created with.

    Raises:
        DeclarationError: a number is no positive whole number, or jobs cannot be gathered so.
    """
    check_counts(options.count, options.concurrency)
    check_batching(options.batch, options.linger, options.executor, plan.options.timeout)


def check_counts(count: object, concurrency: object) -> None:
    """Check the count and the concurrency of workers that are to be created.

    Raises:
        DeclarationError: one is no positive whole number.
    """
    check_number("count", count)
    check_number("concurrency", concurrency)


def _handler(
    plan: QueuePlan,
    function: Callable[[Any], Any],
    options: WorkerOptions,
    lifespan: Lifespan | None,
    *,
    bound: bool,
) -> Handler:
    job, concurrency, executor = plan.options.job, options.concurrency, options.executor
    batching = check_batching(options.batch, options.linger, executor, plan.options.timeout)
    if batching is not None:
        return make_batch_handler(function, job, concurrency, batching, lifespan)
    return make_handler(function, job, executor, concurrency, plan.child_classes, lifespan=lifespan, bound=bound)
