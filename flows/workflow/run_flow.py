"""The flow `run`, to which the runs of all apps belong: its options and its description, as one app declares them."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel

from flows.errors import DeclarationError
from flows.model.declared.description import Description, Descriptor, canonical
from flows.model.flow_options import FlowOptions
from flows.model.job import Job
from flows.model.names import NAME
from flows.model.plan import QueuePlan, plans
from flows.model.queue_options import QueueOptions
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.model.runs.shape import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.limits.rules import Rules
    from flows.model.retention import Retention
    from flows.model.runs.shape import Shape
    from flows.workflow.app_options import AppOptions
    from flows.workflow.declared import Declared

#: Stands first in each app's flow, so that all have the same first queue; no run ever waits in it.
FIRST_QUEUE: Final = "flows.runs"
#: So many digits of a SHA-256 name a declaration.
_DIGITS: Final = 16


class RunJob(Job):
    """A run as a job: what a claim reads of it is its input, which the attempt decodes itself."""


class NoParams(BaseModel):
    """Runs are started by their own script, and never by `create_job`."""


class RunFlowOptions(FlowOptions["Job", str]):
    """The options of the flow of runs."""

    built_in: ClassVar[bool] = True
    partial: ClassVar[bool] = True


class RunQueueOptions(QueueOptions[RunJob]):
    """The queue of a workflow, of one of its overrides or of one of its versions."""

    @property
    def rules(self) -> Rules | None:
        """What its options mean together; its slots are those of its overrides and versions as well."""
        rules = super().rules
        if rules is None or not rules.slots or rules.shared_slots is not None:
            return rules
        return replace(rules, shared_slots=f"@{workflow_of(self.name)}")

    def _check_name(self) -> None:
        if not NAME.fullmatch(workflow_of(self.name)):
            raise DeclarationError(f"workflow name {self.name!r}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")


def run_queue_options(workflow: Declared, queue: str | None = None) -> RunQueueOptions:
    """Return the options of a workflow's queue, or of one of its override and version queues."""
    options = workflow.options
    return RunQueueOptions(
        workflow.name if queue is None else queue,
        job=RunJob,
        retries=options.retries,
        priorities=options.priorities,
        group_by=options.group_by,
        limits=options.limits,
        max_concurrency=options.max_concurrency,
        max_concurrency_per_group=options.max_concurrency_per_group,
    )


def run_flow_options(app: AppOptions, workflows: Sequence[Declared]) -> RunFlowOptions:
    """Return the options of the flow of runs, with the queues of these workflows.

    Raises:
        DeclarationError: an option of the app cannot be used.
    """
    return RunFlowOptions(
        RUN_FLOW,
        [QueueOptions(FIRST_QUEUE, job=RunJob), *map(run_queue_options, workflows)],
        logger=app.logger,
        namespace=app.namespace,
        redis_url=app.redis_url,
        job_ttl=None,
        retention=app.retention,
        max_payload=app.max_payload,
        lease=app.lease,
        hang_limit=app.hang_limit,
        max_crashes=app.max_crashes,
        allow_eviction=app.allow_eviction,
    )


def run_plan(options: FlowOptions[Job, str], queue: str) -> QueuePlan:
    """Return the plan of one queue of the flow of runs."""
    return plans(options, NoParams)[queue]


class RunDescriptor(Descriptor):
    """Describes the workflows of an app, once in a process; the digest begins with the app's name.

    Args:
        options: The flow of runs, as this app declares it.
        app: The app's name.
        workflows: What it defines.
    """

    def __init__(self, options: RunFlowOptions, app: str, workflows: Sequence[Declared]) -> None:
        super().__init__(options, NoParams)
        self._app = self.shown = app
        self._workflows = workflows
        self._retained = options.retained
        self._whole: Description | None = None

    async def description(self) -> Description:
        """Return the description; while it is made, the event loop has its turn after each workflow."""
        if self._whole is None:
            told: list[dict[str, Any]] = []
            for workflow in sorted(self._workflows, key=lambda one: one.name):
                told.append(_told(workflow, workflow.options.retained or self._retained))
                await asyncio.sleep(0)
            text = canonical({"app": self._app, "workflows": told})
            digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
            self._whole = Description(f"{self._app}:{digest}", text)
        return self._whole


def _told(workflow: Declared, kept: Retention) -> dict[str, Any]:
    options, rules = workflow.options, workflow.rules
    return {
        "name": workflow.name,
        "queue": options.queue,
        "version": options.version_text,
        "on_change": options.on_change,
        "input": None if workflow.input is None else _shape(workflow.input),
        "output": _shape(workflow.output),
        "lookups": list(options.lookup),
        "max_attempts": 1 if options.retries is None else options.retries.max_attempts,
        "timeout": None if options.timeout is None else round(options.timeout.total_seconds() * 1000),
        "on_failure": options.on_failure is not None,
        "slots": options.slots,
        "kept": [round(time.total_seconds() * 1000) for time in (kept.done, kept.failed, kept.cancelled)],
        **({} if rules is None else {"rules": rules.line(workflow.name)}),
    }


def _shape(shape: Shape[Any]) -> dict[str, Any]:
    return {"title": name_of(shape.declared), "schema": shape.schema}
