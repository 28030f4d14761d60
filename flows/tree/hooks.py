"""`Hooks`: what an app is told when executions end and instances go, at least once each."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from flows.errors import DeclarationError
from flows.model.texts import summary_of
from flows.model.tree.errors import TreeFailed
from flows.model.tree.paths import ROOT
from flows.store.jobs.log_line import pack_line

if TYPE_CHECKING:
    from flows.tree.instance import Instance
    from flows.tree.storage.protocol import Snapshot, Storage

#: Called with the instance.
OnInstance: TypeAlias = "Callable[[Instance[Any]], Awaitable[object] | object]"
#: Called with the instance, and why its execution has failed.
OnError: TypeAlias = "Callable[[Instance[Any], TreeFailed], Awaitable[object] | object]"


@dataclass(frozen=True, slots=True)
class Hooks:
    """What to call, a plain function or an `async def` each; what it raises is a line in the log of `#`.

    Attributes:
        on_complete: When an execution is done.
        on_error: When one has failed.
        on_destroy: Before an instance is deleted.
    """

    on_complete: OnInstance | None = None
    on_error: OnError | None = None
    on_destroy: OnInstance | None = None

    def __post_init__(self) -> None:
        """Check that they can be called.

        Raises:
            DeclarationError: one cannot.
        """
        for name, given in (
            ("on_complete", self.on_complete), ("on_error", self.on_error), ("on_destroy", self.on_destroy)
        ):  # fmt: skip
            if given is not None and not callable(given):
                raise DeclarationError(f"{name}={given!r:.80}: give a function of an instance")

    @property
    def hear_ends(self) -> bool:
        """Whether they are told when executions end."""
        return self.on_complete is not None or self.on_error is not None

    async def ended(self, storage: Storage, instance: Instance[Any], snapshot: Snapshot) -> None:
        """Tell how an execution has ended."""
        record = snapshot.record
        if record.status == "done" and self.on_complete is not None:
            await _call(storage, instance, "on_complete", self.on_complete, instance)
        elif record.status == "failed" and self.on_error is not None and record.error is not None:
            failed = TreeFailed(instance.id, record.path, record.error)
            await _call(storage, instance, "on_error", self.on_error, instance, failed)

    async def destroyed(self, storage: Storage, instance: Instance[Any]) -> None:
        """Tell that an instance is about to be deleted."""
        if self.on_destroy is not None:
            await _call(storage, instance, "on_destroy", self.on_destroy, instance)


async def _call(
    storage: Storage, instance: Instance[Any], name: str, function: Callable[..., Any], *arguments: object
) -> None:
    try:
        returned = function(*arguments)
        if inspect.isawaitable(returned):
            await returned
    except Exception as error:  # noqa: BLE001 - it is user code
        await storage.log(instance.id, ROOT, [pack_line(f"{name} has failed: {summary_of(error)}", "error", {}, 1)])
