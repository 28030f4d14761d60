"""How a service is started and stopped: the methods of `Service` that are about its life in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from flows.service.service_flow import ServiceFlow
    from flows.service.service_host import ServiceHost
    from flows.telemetry.events import Events


class ServiceLife:
    """The methods of a service that start and stop it."""

    _host: ServiceHost

    @property
    def _flow(self) -> ServiceFlow:
        """The flow that the service is: what tests isolate."""
        self._host.serve()
        return self._host.flow

    @property
    def events(self) -> Events:
        """The events of this process: subscribe to them, or wait for one."""
        return self._flow.events

    async def start(self) -> None:
        """Connect, and start to take jobs where a type has a handler; starting twice changes nothing.

        Raises:
            WrongLoop: another event loop that runs has the service open.
            StoreError: the server cannot be used.
            DeclarationError: a flow of another kind has the service's name.
            HostUnable: no thread or descriptor is left for what workers need.
        """
        await self._flow.start_all()

    async def stop(self, grace: float | None = None) -> None:
        """Stop after the jobs in flight, and disconnect; stopping twice changes nothing.

        Args:
            grace: After so many seconds what still runs is cancelled and handed back. None waits.

        Where one of the service's own jobs asks, this returns at once, and it stops when its jobs have ended.

        Raises:
            WrongLoop: another event loop that runs has the service open.
        """
        await self._flow.stop_all(grace)

    async def stop_all(self, grace: float | None = None) -> None:
        """Stop as `stop` does: `flows.run(…)` runs flows and services side by side."""
        await self.stop(grace)

    async def run(
        self, grace: float | None = 30.0, *, signals: bool = True, wait_for_server: float | None = 60.0
    ) -> int:
        """Start, and run until SIGTERM, SIGINT or `stop`; then stop within `grace` seconds.

        Args:
            grace: After so many seconds what still runs is cancelled and handed back. None waits.
            signals: False leaves the signals to others, and runs until `stop` is called or this is cancelled.
            wait_for_server: For so many seconds a server that cannot be reached yet is waited for; None: for ever.

        Returns:
            The exit status for `sys.exit`: 1 where leases have to run out, or there was no server in time.

        Raises:
            WrongLoop: another event loop that runs has the service open.
            FlowsError: signals are wanted, and this is not the main thread.
            StoreError: the server cannot be used; where it cannot be reached, only with `wait_for_server=0`.
            DeclarationError: a flow of another kind has the service's name.
        """
        return await self._flow.run(grace, signals=signals, wait_for_server=wait_for_server)

    async def __aenter__(self) -> Self:
        """Start, as `start` does."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, as `stop` does."""
        await self.stop()
