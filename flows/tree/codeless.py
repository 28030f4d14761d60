"""Trees without their code: what operators and browsers execute, cancel and look at over a borrowed connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import ValidationError
from flows.tree.backend.runs import cancel_run, is_served, run_of, start_run, under_way
from flows.tree.host import Host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.runs.new_run import NewRun
    from flows.model.schedules.cron import Cron
    from flows.model.schedules.every import Every
    from flows.model.schedules.record import ScheduleRecord
    from flows.tree.asked import Asked, When
    from flows.tree.backend.protocol import Backend, Working
    from flows.tree.backend.runs import TreeRuns
    from flows.tree.index.protocol import Index
    from flows.tree.storage.protocol import Storage
    from flows.workflow.host import Host as RunsHost


def codeless_host(app: str, runs: RunsHost, storage: Storage, index: Index) -> Host:
    """Return an app of trees whose generators are elsewhere: `Instance(host, None, id)` is one of its instances.

    Such an instance is executed as its tree was described last.

    Args:
        app: The app of trees.
        runs: Starts and cancels runs, whosever they are.
        storage: Where the app's instances stand.
        index: What finds them.
    """
    return _CodelessHost(app, storage, index, _Elsewhere(app, runs))


class _CodelessHost(Host):
    """An app whose index may be another one than the one that is here: what changes, its own processes tell that."""

    async def note(self) -> None:
        """Take nothing out of the outbox: it would be lost to the app's own index."""

    async def destroy(self, instance_id: str) -> bool:
        """Destroy an instance: see `Host.destroy`; what finds it here forgets it at once, without the outbox."""
        is_deleted = await super().destroy(instance_id)
        await self.index.remove([instance_id])
        return is_deleted

    @property
    def _tells(self) -> bool:
        """Say yes: only the code of the app knows its hooks."""
        return True


class _Elsewhere:
    """Lets executions be worked on by the workers of their app, wherever these are."""

    needs_workers = True

    def __init__(self, app: str, runs: RunsHost) -> None:
        self._app = app
        self._runs = runs

    def bind(self, working: Working, runs: TreeRuns, backends: Mapping[str, Backend]) -> None:
        """Take nothing: nothing is worked on here."""

    def run_of(self, instance_id: str, execution: str) -> NewRun | None:
        """Return the run that is to work on an execution: see `Executor.run_of`."""
        return run_of(self._runs, self._app, instance_id, execution)

    async def start(self, instance_id: str, execution: str) -> None:
        """Start the run of an execution: see `Executor.start`."""
        await start_run(self._runs, self._app, instance_id, execution)

    async def start_later(self, instance_id: str, execution: str, asked: Asked, when: When) -> None:  # noqa: ARG002
        """Refuse.

        Raises:
            ValidationError: always.
        """
        raise ValidationError("without the app's code an execution begins at once: give no run_at= or delay=")

    async def repeat(self, instance_id: str, asked: Asked, schedule: Cron | Every) -> ScheduleRecord:  # noqa: ARG002
        """Refuse.

        Raises:
            ValidationError: always.
        """
        raise ValidationError("without the app's code there is no cron=")

    async def under_way(self, execution: str) -> bool | None:
        """Return whether the run of an execution is: see `Executor.under_way`."""
        return (await under_way(self._runs, [execution]))[0]

    async def is_served(self) -> bool:
        """Return whether any process has workers of the app: see `Executor.is_served`."""
        return await is_served(self._runs, self._app)

    async def cancel(self, instance_id: str, execution: str, reason: str) -> bool:  # noqa: ARG002 - the protocol's
        """Cancel the run of an execution: see `Executor.cancel`."""
        return await cancel_run(self._runs, execution, reason)

    async def close(self) -> None:
        """Let go of nothing: the connection is borrowed."""
