"""A bulk action as a job: what it is asked for, what it leaves behind, and the flow that it belongs to."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel

from flows.errors import ValidationError
from flows.model.flow_options import FlowOptions
from flows.model.job import Job, JobResult
from flows.model.queue_options import QueueOptions
from flows.model.retries import Retries

if TYPE_CHECKING:
    from flows.model.job import Job as AnyJob

#: What can be done to many jobs.
BulkVerb: TypeAlias = Literal["retry", "cancel", "delete", "move"]
#: Who may do bulk actions looks for them after so many seconds, workers give or take a quarter: for one that another
#: process has left, and for one whose wake-up was lost.
LOOK_AGAIN: Final = 15.0
#: What frees memory, and goes on where the server is full.
FREEING: Final[frozenset[str]] = frozenset({"cancel", "delete"})
_LONGEST_NAME: Final = 64
_PREFIX: Final = "flows.bulk."
#: How long a bulk action that a server refuses is tried again: some ten minutes.
_RETRIES: Final = Retries(max_attempts=12, backoff=1, max_delay=120, give_up_on=(ValidationError,))
#: It runs no code of the user's: where processes die beside it, as in a deploy that is rolled back, others go on.
_MAX_CRASHES: Final = 100


class BulkParams(BaseModel):
    """What a bulk action is asked for."""

    flow: str
    """The flow whose jobs it acts on."""
    verb: BulkVerb
    query: str
    """Which jobs: a query, as JSON."""
    before_ms: int
    """Only jobs that were there then, in server milliseconds: created before, and ended before if they have ended."""
    having: str = ""
    """What jobs are looked at for beside the query, as JSON: see `flows.model.find.conditions`."""
    reason: str = ""
    """Why jobs are cancelled."""
    to: str = ""
    """The queue to which jobs are moved."""


class BulkAction(Job):
    """A bulk action, as its worker sees it."""

    flow: str
    verb: BulkVerb
    query: str
    before_ms: int
    having: str = ""
    reason: str
    to: str


class BulkDone(JobResult):
    """What a bulk action has done."""

    words: dict[str, int]
    """What became of jobs, and of how many."""


class BulkFlowOptions(FlowOptions["AnyJob", str]):
    """The options of the flow of a flow's bulk actions."""

    built_in: ClassVar[bool] = True


def bulk_name(flow: str) -> str:
    """Return the name of a flow's bulk flow, and of its queue: `flows.bulk.<flow>`, with a digest where it is long."""
    name = _PREFIX + flow
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(flow.encode()).hexdigest()[:12]
    return f"{name[: _LONGEST_NAME - len(digest) - 1]}-{digest}"


def bulk_options(of: FlowOptions[AnyJob, str]) -> BulkFlowOptions:
    """Return the options of a flow's bulk flow; which server and namespace it uses is bound when it is opened."""
    return new_bulk_options(
        of.name,
        logger=of.logger,
        lease=of.lease,
        hang_limit=of.hang_limit,
        allow_eviction=of.allow_eviction,
    )


def new_bulk_options(flow: str, **more: Any) -> BulkFlowOptions:
    """Return the options of the bulk flow of a flow, whose code need not be here."""
    name = bulk_name(flow)
    queue = QueueOptions(name, job=BulkAction, retries=_RETRIES)
    return BulkFlowOptions(name, [queue], max_crashes=_MAX_CRASHES, **more)
