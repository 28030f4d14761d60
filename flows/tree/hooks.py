"""`Hooks`: what an app is told when executions end and instances go, at least once each."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from flows.errors import DeclarationError
from flows.model.texts import summary_of
from flows.model.tree.errors import TreeFailed
from flows.model.tree.paths import ROOT
from flows.store.jobs.log_line import pack_line
from flows.tree.instance import Instance

if TYPE_CHECKING:
    from flows.tree.host import Host
    from flows.tree.storage.protocol import Snapshot

#: Called with the instance.
OnInstance: TypeAlias = "Callable[[Instance[Any]], Awaitable[object] | object]"
#: Called with the instance, and why its execution has failed.
OnError: TypeAlias = "Callable[[Instance[Any], TreeFailed], Awaitable[object] | object]"


class Hooks:
    """What to call, a plain function or an `async def` each; what it raises is a line in the log of `#`.

    Args:
        host: The app.
        on_complete: When an execution is done.
        on_error: When one has failed.
        on_destroy: Before an instance is deleted.

    Raises DeclarationError where one cannot be called.
    """

    def __init__(
        self, host: Host, on_complete: OnInstance | None, on_error: OnError | None, on_destroy: OnInstance | None
    ) -> None:
        for name, given in (("on_complete", on_complete), ("on_error", on_error), ("on_destroy", on_destroy)):
            if given is not None and not callable(given):
                raise DeclarationError(f"{name}={given!r:.80}: give a function of an instance")
        self._host = host
        self._on_complete = on_complete
        self._on_error = on_error
        self._on_destroy = on_destroy

    async def ended(self, snapshot: Snapshot) -> None:
        """Tell how an execution has ended: see `Told.ended`."""
        record, instance_id = snapshot.record, snapshot.row.id
        if record.status == "done" and self._on_complete is not None:
            await self._call("on_complete", self._on_complete, snapshot)
        elif record.status == "failed" and self._on_error is not None and record.error is not None:
            failed = TreeFailed(instance_id, record.path, record.error)
            await self._call("on_error", self._on_error, snapshot, failed)

    async def destroyed(self, snapshot: Snapshot) -> None:
        """Tell that an instance is about to be deleted: see `Told.destroyed`."""
        if self._on_destroy is not None:
            await self._call("on_destroy", self._on_destroy, snapshot)

    async def _call(self, name: str, function: Callable[..., Any], snapshot: Snapshot, *more: object) -> None:
        host, row = self._host, snapshot.row
        instance: Instance[Any] = Instance(host, host.recipes.get(row.generator), row.id)
        try:
            returned = function(instance, *more)
            if inspect.isawaitable(returned):
                await returned
        except Exception as error:  # noqa: BLE001 - it is user code
            line = pack_line(f"{name} has failed: {summary_of(error)}", "error", {}, 1)
            await host.storage.log(row.id, ROOT, [line])
