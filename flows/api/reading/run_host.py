"""A host of runs without an app: what reads runs, starts them and acts on them, over an Admin's connection.

Who may see the runs of one app alone, sees those of the workflows that the app defines.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from flows.api.borrowed import Borrowed
from flows.api.caller import Caller
from flows.api.known_flow import kept_of
from flows.api.reading.hiding import Hiding
from flows.errors import Forbidden, JobGone
from flows.model.flow_options import DEFAULT_MAX_PAYLOAD
from flows.model.names import check_job_id
from flows.model.retention import Retention
from flows.model.runs.new_run import RUN_FLOW, NewRun
from flows.model.runs.queue_names import run_queue
from flows.model.runs.run_record import AWAITED_FIELDS, STATUS_FIELDS
from flows.model.runs.schedule_definition import SCHEDULE_FIELD
from flows.model.runs.shape import JSON_VALUES
from flows.model.runs.step_record import PARENTS
from flows.model.values.lookup import lookup_texts
from flows.store.fleet.apps import DeclaredWorkflow, read_workflows
from flows.store.jobs.control import Control
from flows.store.jobs.fetch import KERNEL_FIELDS
from flows.store.schedules.firing import Firing
from flows.workflow.host import Host
from flows.workflow.new_runs import member_of
from flows.workflow.reading.run_reader import RunReader

if TYPE_CHECKING:
    from flows.api.admin import Admin
    from flows.kernel.session import Session
    from flows.model.runs.run_record import RunRecord

#: What a row shows of a run stands in these fields.
ROW_FIELDS: Final = tuple(
    dict.fromkeys([*KERNEL_FIELDS, *STATUS_FIELDS, *AWAITED_FIELDS, "_lookups", "_version", SCHEDULE_FIELD])
)
_APP = f"{RUN_FLOW}:"


class RunHost(Host):
    """The runs of a namespace, as one caller sees them.

    Args:
        session: What stands in for a session of the flow of runs.
        caller: Who asks.
        workflows: Those that apps define, newest first.
    """

    def __init__(self, session: Borrowed, caller: Caller, workflows: list[DeclaredWorkflow]) -> None:
        self.definitions = {}
        self.max_payload = DEFAULT_MAX_PAYLOAD
        self.caller = caller
        self.workflows = workflows
        self._known = set()
        self._borrowed = session

    async def open(self) -> Session:
        """Return what stands in for the session."""
        return cast("Session", self._borrowed)

    @property
    def reader(self) -> RunReader[Any]:
        """Reads runs; outputs are plain JSON."""
        return RunReader(self, None)

    @property
    def row_reader(self) -> RunReader[Any]:
        """Reads what a row shows of runs; where something is hidden, all of it, since the row may quote it."""
        fields = () if Hiding(self.caller, RUN_FLOW).names else ROW_FIELDS
        return RunReader(self, None, fields)

    def sees(self, workflow: str) -> bool:
        """Return whether the caller may look at the runs of a workflow."""
        only = self.caller.flows
        if only is None or RUN_FLOW in only:
            return True
        return any(f"{_APP}{one.app}" in only for one in self.workflows if one.name == workflow)

    def check_seen(self, workflow: str) -> None:
        """Refuse a workflow whose runs the caller may not look at.

        Raises:
            Forbidden: it may not.
        """
        if not self.sees(workflow):
            raise Forbidden(f"workflow {workflow!r:.80}", self.caller.role, "it is of none of this caller's apps")

    def control_of(self, workflow: str) -> Control:
        """Return what acts on the runs of a workflow, which are kept as long as that says."""
        kept = next((kept_of(one) for one in self.workflows if one.name == workflow), None)
        settings = self._borrowed.settings
        return Control(self._borrowed.connection, settings if kept is None else replace(settings, kept_ms=kept))

    def completed(self, run: NewRun, given: Any) -> NewRun:
        """Return a new run with what its workflow's newest release declares of all of them, but for its types.

        Args:
            run: As it is made of a workflow that is known by its name alone.
            given: Its input, plain JSON.
        """
        newest = next((one for one in self.workflows if one.name == run.workflow), None)
        if newest is None:
            return run
        told, kept = newest.declared, kept_of(newest)
        names = [str(name) for name in told.get("lookups", ())]
        lookups = [(name, text) for name in names for text in lookup_texts(member_of(given, name))]
        rules = self._borrowed.settings.rules.get(run.workflow)
        group = None if rules is None else rules.group
        pinned = newest.version if told.get("on_change") == "pin" and run.queue == run.workflow else ""
        return replace(
            run,
            queue=run_queue(run.workflow, pinned=pinned) if pinned else run.queue,
            lookups=(*run.lookups, *lookups),
            version=newest.version,
            undo=bool(told.get("on_failure")),
            retention=None if kept is None else Retention(*(timedelta(milliseconds=ms) for ms in kept)),
            fields=run.fields if group is None else ((group, JSON_VALUES.encode(member_of(given, group))),),
        )

    async def found(self, run_id: str, *fields: str) -> RunRecord[Any]:
        """Return a run; with `fields`, what a row shows of it and these of its hash alone: it may have 10,000 steps.

        Raises:
            ValidationError: it is no id.
            JobGone: there is none of this id that the caller may look at.
            StoreError: the server cannot be used.
        """
        reader = RunReader[Any](self, None, (*ROW_FIELDS, *fields)) if fields else self.reader
        record = await reader.record(check_job_id(run_id))
        if record is None or not self.sees(record.workflow):
            raise JobGone(run_id, what="run")
        return record

    async def firing(self) -> Firing:
        """Return what knows the runs of slots."""
        session = await self.open()
        return Firing(session.connection, session.settings)

    async def ended_of(self, record: RunRecord[Any]) -> dict[str, int]:
        """Return how many of the runs have ended for which the steps of a run wait, by their names.

        Raises:
            StoreError: the server cannot be used.
        """
        waiting = [one.name for one in record.steps if one.status == "waiting" and one.kind in PARENTS]
        return await (await self.runs()).loader.ended(record.id, waiting) if waiting else {}


async def run_host(admin: Admin) -> RunHost:
    """Return what an Admin's caller sees of runs.

    Raises:
        Forbidden: it may look at no runs at all.
        StoreError: the server cannot be used.
    """
    only = admin.caller.flows
    if only is not None and not any(one == RUN_FLOW or one.startswith(_APP) for one in only):
        raise Forbidden("what is about runs", admin.caller.role, f"`run` is none of the flows of {admin.caller.name!r}")
    known = await admin.link.flow(RUN_FLOW)
    workflows = await admin.link.lately("workflows", lambda: read_workflows(admin.connection, known.settings))
    return RunHost(Borrowed(admin.connection, known), admin.caller, workflows)
