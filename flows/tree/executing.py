"""`Executing`: how instances are executed, whole and by path, now, later, and by schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast, overload

from pydantic_core import from_json

from flows.errors import ValidationError
from flows.model.arguments import check_flag, check_text
from flows.model.creation.keys import check_key
from flows.model.ids import named_child_id, new_child_id
from flows.model.runs.shape import encode_untyped
from flows.model.tree.errors import InstanceGone
from flows.model.tree.paths import ROOT
from flows.tree.asked import Asked, When
from flows.tree.begin import begin
from flows.tree.execution import Execution
from flows.tree.plans import plan_of
from flows.tree.storage.protocol import NO_TASKS

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from flows.model.schedules.cron import Cron
    from flows.model.schedules.every import Every
    from flows.model.schedules.record import ScheduleRecord
    from flows.tree.host import Host
    from flows.tree.recipe import Recipe


class Executing:
    """The methods of an instance by which it is executed.

    Args:
        host: Its app.
        recipe: Its generator; None: the code of that is not here.
        instance_id: Its id.
    """

    def __init__(self, host: Host, recipe: Recipe | None, instance_id: str) -> None:
        self._host = host
        self._recipe = recipe
        self.id = instance_id

    @overload
    async def execute_all(
        self,
        argument: object = None,
        *,
        ref: str | None = None,
        run_at: datetime | None = None,
        delay: timedelta | float | None = None,
    ) -> Execution: ...
    @overload
    async def execute_all(self, argument: object = None, *, cron: Cron | Every) -> ScheduleRecord: ...
    async def execute_all(self, argument: object = None, **options: Any) -> Execution | ScheduleRecord:
        """Execute all tasks, now or later, as `execute` does; return when that is durably begun.

        Args:
            argument: What the first task's view has as its `argument`.
            **options: `ref`, `run_at`, `delay`, `cron`: see `execute`.

        Raises:
            TreeBusy: an execution is under way.
            DeclarationError: the generator has made a tree that cannot work.
            InstanceGone: the instance was destroyed, or has expired.
            ValidationError: an option cannot be used.
            StoreError: the storage or the server cannot be used.
        """
        return cast("Execution | ScheduleRecord", await self.execute(ROOT, argument, **options))

    @overload
    async def execute(
        self,
        path: str,
        argument: object = None,
        *,
        missing: Literal["error", "run"] = "error",
        subtree: bool = False,
        downstream: bool = False,
        ref: str | None = None,
        run_at: datetime | None = None,
        delay: timedelta | float | None = None,
        cron: None = None,
    ) -> Execution: ...
    @overload
    async def execute(
        self,
        path: str,
        argument: object = None,
        *,
        missing: Literal["error", "run"] = "error",
        subtree: bool = False,
        downstream: bool = False,
        cron: Cron | Every,
    ) -> ScheduleRecord: ...
    async def execute(
        self,
        path: str,
        argument: object = None,
        *,
        missing: Literal["error", "run"] = "error",
        subtree: bool = False,
        downstream: bool = False,
        ref: str | None = None,
        run_at: datetime | None = None,
        delay: timedelta | float | None = None,
        cron: Cron | Every | None = None,
    ) -> Execution | ScheduleRecord:
        """Execute one task, a group with all that is below it, or `#` for all; return when that is durably begun.

        What is to begin later is found out then; while the instance is busy, it waits.

        Args:
            path: The task.
            argument: What its view has as its `argument`; of a group, the views of its first tasks.
            missing: Whether what the task depends on and is not ready is an error, or is executed too.
            subtree: Execute all below it as well.
            downstream: Execute all as well that uses its result.
            ref: A text of 1 to 200 bytes: what is asked for twice with the same one is executed once.
            run_at: When it begins, an aware datetime.
            delay: It begins so much later, a timedelta or seconds.
            cron: It begins at the times of a schedule, until `schedules.delete` or the instance's end.

        Returns:
            The execution; with `cron`, the schedule.

        Raises:
            UnknownPath: there is no such task.
            TaskNotReady: something that it depends on has not ended, or is stale.
            TreeBusy: an execution is under way.
            DeclarationError: the generator has made a tree that cannot work.
            InstanceGone: the instance was destroyed, or has expired.
            ValidationError: an option cannot be used.
            StoreError: the storage or the server cannot be used.
        """
        check_text("path", path)
        for what, flag in (("subtree", subtree), ("downstream", downstream)):
            check_flag(what, flag)
        if missing not in {"error", "run"}:
            raise ValidationError(f"missing={missing!r}: give 'error' or 'run'")
        if argument is not None:  # as JSON
            argument = from_json(encode_untyped("the argument", argument))
        asked = Asked(path=path, argument=argument, missing=missing, subtree=subtree, downstream=downstream)
        when = When(run_at, delay)
        host, executor = self._host, self._host.executor
        if cron is not None:
            if ref is not None or not when.is_now:
                raise ValidationError("execute(cron=) says when: give no ref=, run_at= or delay= with it")
            await self._check_path(path)
            return await executor.repeat(self.id, asked, cron)
        execution = new_child_id(self.id)
        if ref is not None:
            check_key("ref", check_text("ref", ref))
            execution = named_child_id(self.id, ref)
            if await executor.under_way(execution) is not None:
                return Execution(host, self.id, execution, later=not when.is_now)
        if when.is_now:
            run = executor.run_of(self.id, execution)
            if not await begin(host.storage, self.id, self._recipe, execution, asked, over=host.is_over, run=run):
                await executor.start(self.id, execution)
            await host.note()
        else:
            await self._check_path(path)
            await executor.start_later(self.id, execution, asked, when)
        return Execution(host, self.id, execution, later=not when.is_now)

    async def _check_path(self, path: str) -> None:
        snapshot = await self._host.storage.load(self.id, since=NO_TASKS)
        if snapshot is None:
            raise InstanceGone(self.id)
        if path != ROOT:
            plan_of(snapshot.tree).node(path)
