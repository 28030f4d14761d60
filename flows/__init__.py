"""Typed jobs through pipelines of queues on Redis, and none of them lost."""

from flows.errors import (
    DeclarationError,
    DeclarationWarning,
    DuplicateJob,
    FieldMissing,
    FlowsError,
    HostUnable,
    IdempotencyConflict,
    JobExists,
    JobGone,
    JobNotDone,
    KeyConflict,
    LostLease,
    MalformedJob,
    MissingExtra,
    PayloadTooLarge,
    PortInUse,
    QuerySyntaxError,
    StateError,
    StoreError,
    StoreFull,
    StoreUnavailable,
    UnsafeServer,
    ValidationError,
    WaitTimeout,
    WrongLoop,
)
from flows.kernel.around.middleware import AttemptNext, CreateNext, Creation, Middleware
from flows.kernel.callers.queue_handle import QueueHandle, SyncQueueHandle
from flows.kernel.current import CurrentJob, current_job, current_jobs
from flows.kernel.program.job_context import JobContextFilter, add_job_context
from flows.kernel.worker import ParentWorker, Worker
from flows.model.creation.job_options import JobOptions
from flows.model.creation.keys import Debounce, Unique
from flows.model.endings.options import Endings
from flows.model.explain.explanation import Explanation, Position
from flows.model.explain.queue_state import QueueState
from flows.model.fleet.histogram import Histogram
from flows.model.fleet.process import Process, RunningJob, ServedQueue
from flows.model.fleet.statistics import QueueSample
from flows.model.flow_options import FlowOptions
from flows.model.history import PastAttempt
from flows.model.job import ChildJob, ChildrenOf, ChildResult, Job, JobError, JobResult
from flows.model.limits.limit_state import LimitState
from flows.model.limits.limiter import Limiter
from flows.model.limits.slots import Slots
from flows.model.queue_options import QueueOptions
from flows.model.record import JobRecord
from flows.model.retention import Retention
from flows.model.retries import Retries
from flows.model.runs.continue_as_new import ContinueAsNew
from flows.model.runs.errors import (
    ChildFailed,
    DuplicateStep,
    PlanChanged,
    RunCancelled,
    RunFailed,
    StepFailed,
    StepTimeout,
    UnknownWorkflow,
)
from flows.model.runs.failure import Failure
from flows.model.runs.history import RunHistory
from flows.model.runs.new_run import RunOptions
from flows.model.runs.run_page import RunPage, WorkflowStats
from flows.model.runs.run_record import RunRecord, RunStatus, RunStep
from flows.model.runs.step_children import ChildRunResult
from flows.model.runs.workflow_options import DefineOptions
from flows.model.schedules.cron import Cron
from flows.model.schedules.errors import UnknownSchedule
from flows.model.schedules.every import Every
from flows.model.schedules.record import ScheduleRecord
from flows.model.state import JobState
from flows.model.verdict import Cancel, Fail, Retry, Snooze, Verdict
from flows.pipeline.bulk.bulk_job import BulkJob, BulkProgress, BulkResult, SyncBulkJob
from flows.pipeline.find.page import Count, Page
from flows.pipeline.find.query import Query, SyncQuery
from flows.pipeline.flow import Flow
from flows.pipeline.run import run
from flows.pipeline.sync import SyncFlow
from flows.store.jobs.log_line import LogLine
from flows.store.streams.text_piece import TextPiece
from flows.store.views.endings import EndingPage, LoggedEnding
from flows.telemetry.events import Event
from flows.version import __version__ as __version__
from flows.workflow.app import Workflows
from flows.workflow.blocking import Blocking, BlockingHandle
from flows.workflow.definition import Workflow
from flows.workflow.event import WorkflowEvent
from flows.workflow.handle import Handle
from flows.workflow.schedules.schedules import Schedules
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_options import StepOptions

__all__ = [
    "AttemptNext",
    "Blocking",
    "BlockingHandle",
    "BulkJob",
    "BulkProgress",
    "BulkResult",
    "Cancel",
    "ChildFailed",
    "ChildJob",
    "ChildResult",
    "ChildRunResult",
    "ChildrenOf",
    "ContinueAsNew",
    "Count",
    "CreateNext",
    "Creation",
    "Cron",
    "CurrentJob",
    "Debounce",
    "DeclarationError",
    "DeclarationWarning",
    "DefineOptions",
    "DuplicateJob",
    "DuplicateStep",
    "EndingPage",
    "Endings",
    "Event",
    "Every",
    "Explanation",
    "Fail",
    "Failure",
    "FieldMissing",
    "Flow",
    "FlowOptions",
    "FlowsError",
    "Handle",
    "Histogram",
    "HostUnable",
    "IdempotencyConflict",
    "Job",
    "JobContextFilter",
    "JobError",
    "JobExists",
    "JobGone",
    "JobNotDone",
    "JobOptions",
    "JobRecord",
    "JobResult",
    "JobState",
    "KeyConflict",
    "LimitState",
    "Limiter",
    "LogLine",
    "LoggedEnding",
    "LostLease",
    "MalformedJob",
    "Middleware",
    "MissingExtra",
    "Page",
    "ParentWorker",
    "PastAttempt",
    "PayloadTooLarge",
    "PlanChanged",
    "PortInUse",
    "Position",
    "Process",
    "Query",
    "QuerySyntaxError",
    "QueueHandle",
    "QueueOptions",
    "QueueSample",
    "QueueState",
    "Retention",
    "Retries",
    "Retry",
    "RunCancelled",
    "RunFailed",
    "RunHistory",
    "RunOptions",
    "RunPage",
    "RunRecord",
    "RunStatus",
    "RunStep",
    "RunningJob",
    "ScheduleRecord",
    "Schedules",
    "ServedQueue",
    "Slots",
    "Snooze",
    "StateError",
    "Step",
    "StepFailed",
    "StepOptions",
    "StepTimeout",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "SyncBulkJob",
    "SyncFlow",
    "SyncQuery",
    "SyncQueueHandle",
    "TextPiece",
    "Unique",
    "UnknownSchedule",
    "UnknownWorkflow",
    "UnsafeServer",
    "ValidationError",
    "Verdict",
    "WaitTimeout",
    "Worker",
    "Workflow",
    "WorkflowEvent",
    "WorkflowStats",
    "Workflows",
    "WrongLoop",
    "add_job_context",
    "current_job",
    "current_jobs",
    "run",
]
