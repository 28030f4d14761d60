"""What travels through the access flow: what each queue sees of a job, and what it adds to it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel

from access_terms import Requirement
from flows import ChildrenOf, ChildResult, Flow, Job, JobResult


class Wallet(BaseModel):
    """What a caller hands to create_jobs: the Params of the flow."""

    run: str
    address: str


class Prepare(Job):
    """access-preparation."""

    run: str
    address: str


class Prepared(JobResult):
    """Nothing of its own: the requirements to check are its children."""


class CheckAccess(Job):
    """access-check, a parent queue: it waits for its children and needs no fields."""


class CheckRequirement(Job):
    """access-check:requirement."""

    run: str
    address: str
    requirement: Requirement


class Checked(JobResult):
    """Whether the wallet meets it."""

    requirement_met: bool


class Decide(Job):
    """access-logic: it sees what access-check's children returned, in the order in which they were named."""

    run: str
    address: str
    checks: Annotated[list[ChildResult[Checked]], ChildrenOf("access-check", "requirement")]


class Decided(JobResult):
    """The roles of the wallet."""

    roles: list[str]


class ManageReward(Job):
    """manage-reward, a parent queue; a wallet without roles has no children here and goes straight on."""


class Record(Job):
    """manage-reward:ledger."""

    run: str
    address: str
    role: str


class Recorded(JobResult):
    """Whether the membership is new: a second attempt finds that the first one has recorded it."""

    new: bool


class Notify(Job):
    """manage-reward:notify."""

    run: str
    address: str
    roles: list[str]


class Conclude(Job):
    """access-result."""

    run: str
    address: str
    checks: Annotated[list[ChildResult[Checked]], ChildrenOf("access-check", "requirement")]
    records: Annotated[list[ChildResult[Recorded]], ChildrenOf("manage-reward", "ledger")]
    notices: Annotated[list[ChildResult[JobResult]], ChildrenOf("manage-reward", "notify")]


AccessFlow: TypeAlias = Flow[
    Prepare | CheckAccess | Decide | ManageReward | Conclude, Wallet, Literal["run", "address"]
]
