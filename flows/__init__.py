"""Typed jobs through pipelines of queues on Redis, and none of them lost."""

from flows.errors import (
    DeclarationError,
    FlowsError,
    JobGone,
    KeyConflict,
    MalformedJob,
    MissingExtra,
    PayloadTooLarge,
    StateError,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UnsafeServer,
    ValidationError,
    WaitTimeout,
)
from flows.kernel.current import CurrentJob, current_job
from flows.kernel.worker import ParentWorker, Worker
from flows.model.job import ChildJob, ChildrenOf, ChildResult, Job, JobError, JobResult
from flows.model.options import DeclarationWarning, FlowOptions, QueueOptions, Retention
from flows.model.record import JobRecord
from flows.model.state import JobState
from flows.pipeline.flow import Flow
from flows.telemetry.events import Event

__all__ = [
    "ChildJob",
    "ChildResult",
    "ChildrenOf",
    "CurrentJob",
    "DeclarationError",
    "DeclarationWarning",
    "Event",
    "Flow",
    "FlowOptions",
    "FlowsError",
    "Job",
    "JobError",
    "JobGone",
    "JobRecord",
    "JobResult",
    "JobState",
    "KeyConflict",
    "MalformedJob",
    "MissingExtra",
    "ParentWorker",
    "PayloadTooLarge",
    "QueueOptions",
    "Retention",
    "StateError",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "UnsafeServer",
    "ValidationError",
    "WaitTimeout",
    "Worker",
    "current_job",
]
