"""`Execution`: one execution of an instance, as users hold it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from flows.errors import WaitTimeout
from flows.model.arguments import check_seconds
from flows.model.job import JobError
from flows.model.tree.errors import TreeFailed
from flows.model.tree.paths import ROOT
from flows.tree.plans import plan_of
from flows.tree.state import state_of

if TYPE_CHECKING:
    from flows.tree.host import Host
    from flows.tree.state import InstanceState


#: Whether an execution that is to begin later still will is asked so often, in seconds.
_LOOK: Final = 1.0


class Execution:
    """One execution of an instance: to be begun, under way or ended.

    Attributes:
        id: Its id.
        instance_id: The instance's.
    """

    def __init__(self, host: Host, instance_id: str, execution: str, *, later: bool = False) -> None:
        self._host = host
        self._later = later
        self.instance_id = instance_id
        self.id = execution

    def __repr__(self) -> str:
        return f"<Execution {self.id} of {self.instance_id}>"

    async def wait(self, timeout: float) -> InstanceState:
        """Wait until the execution has ended, and return how the instance stands; a cancelled one has ended too.

        Args:
            timeout: How long to wait, in seconds.

        Raises:
            WaitTimeout: it has not ended in that time.
            TreeFailed: a task has failed; or it was to begin later, and could not.
            InstanceGone: the instance was destroyed, or has expired.
            StoreError: the storage or the server cannot be used.
        """
        seconds = check_seconds("timeout", timeout)
        try:
            async with asyncio.timeout(seconds):
                return await self._wait()
        except TimeoutError as error:
            said = f"execution {self.id} has not ended in {seconds:g} s{await self._host.lonely()}"
            raise WaitTimeout(said) from error

    async def _wait(self) -> InstanceState:
        while True:
            record, revision = await self._host.glance(self.instance_id)
            is_mine = record.run == self.id
            self._later = self._later and not is_mine
            if not (self._later or (is_mine and record.status == "working")):
                break
            if self._later and not await self._host.executor.under_way(self.id):
                said = f"execution {self.id} could not begin: its run says why"
                raise TreeFailed(self.instance_id, ROOT, JobError(type="NotBegun", message=said))
            with suppress(TimeoutError):  # that it cannot begin is no change of the instance
                async with asyncio.timeout(_LOOK if self._later else None):
                    await self._host.storage.changed(self.instance_id, revision)
        if record.run == self.id and record.status == "failed" and record.error is not None:
            raise TreeFailed(self.instance_id, record.path, record.error)
        snapshot = await self._host.load(self.instance_id)
        return state_of(snapshot, plan_of(snapshot.tree))
