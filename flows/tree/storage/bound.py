"""What a storage, an index or a backend may have besides: it uses the app's connection, or holds something itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime


@runtime_checkable
class Bound(Protocol):
    """A storage, index or backend that uses the app's own connection."""

    def bind(self, app: str, runtime: Runtime) -> None:
        """Take the app's name, and what opens its connection; called once, before anything else."""
        ...


@runtime_checkable
class Closable(Protocol):
    """A storage or index that holds something."""

    async def close(self) -> None:
        """Let go of it; it is opened again when it is used again."""
        ...
