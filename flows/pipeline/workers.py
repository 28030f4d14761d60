"""Makes the workers of a queue from a worker function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

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


def function_workers(  # noqa: PLR0917 - what create_workers was given, in its order
    runtime: Runtime,
    plan: QueuePlan,
    function: Callable[[Any], Any],
    count: int,
    concurrency: int,
    executor: Literal["process"] | None,
    lifespan: Lifespan | None = None,
    *,
    bound: bool = True,
) -> list[Worker]:
    """Return `count` workers of a queue; `lifespan` opens the function's second argument, if it has one.

    A function that is just being decorated is not `bound` to its name yet.

    Raises:
        DeclarationError: a number is not positive, or the function cannot be used.
    """
    check_counts(count, concurrency)
    flow, middleware = runtime.settings.flow_of(plan.queue), runtime.options.middleware

    async def results(job_id: str, queue: str) -> bytes | None:
        return await runtime.children_results(flow, job_id, queue)

    workers: list[Worker] = []
    for _ in range(count):
        handler = make_handler(
            function, plan.options.job, executor, concurrency, plan.child_classes, lifespan=lifespan, bound=bound
        )
        check_worker_function(plan, function)
        misfits = Misfits(plan, partial(runtime.read_job, flow), runtime.events)
        runner = AttemptRunner(handler, plan, flow, results, misfits, middleware)
        workers.append(Worker(runtime, plan.queue, carrying(runner, middleware), concurrency, handler))
    return workers


def check_counts(count: object, concurrency: object) -> None:
    """Check the count and the concurrency of workers that are to be created.

    Raises:
        DeclarationError: one is no positive whole number.
    """
    check_number("count", count)
    check_number("concurrency", concurrency)
