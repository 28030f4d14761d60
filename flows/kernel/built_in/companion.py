"""What stands beside a session and is not the kernel's own: started, closed and left behind together with it."""

from __future__ import annotations


class Companion:
    """Stands beside a session; this one does nothing."""

    def serve(self) -> None:
        """Workers of the flow are started; called again, it changes nothing."""

    async def close(self) -> None:
        """The session is being closed, and may be opened again."""

    def forsake(self) -> None:
        """The session is left behind in another loop or process; called from there."""
