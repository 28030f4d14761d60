"""`flows.run`: runs the workers of one or more flows in a process of their own, in one plain call."""

from __future__ import annotations

import asyncio
from typing import Protocol

from flows.errors import DeclarationError, FlowsError
from flows.model.arguments import check_seconds


class Runs(Protocol):
    """What can be run: a flow."""

    async def run(self, grace: float | None = ..., *, wait_for_server: float | None = ...) -> int:
        """Run until a signal, and return the exit status."""
        ...

    async def stop_all(self, grace: float | None = ...) -> None:
        """Stop."""
        ...


def run(*flows: Runs, grace: float | None = 30.0, wait_for_server: float | None = 60.0) -> int:
    """Run the workers of flows until SIGTERM or SIGINT, and return the exit status: `sys.exit(flows.run(access))`.

    This blocks, with an event loop of its own; inside one, await `flow.run()` of each. Each flow hears the signal. When
    one ends for another reason, such as a server that cannot be reached, the others are stopped too.

    Args:
        flows: At least one.
        grace: After so many seconds what still runs is cancelled and released; a second signal does that at once.
        wait_for_server: For so many seconds a server that cannot be reached yet is waited for; None: for ever.

    Raises:
        FlowsError: there is no flow, an event loop runs in this thread, or this is not the main thread.
        DeclarationError: a flow is owned by another one, or is given twice.
    """
    if not flows:
        raise FlowsError("flows.run() without a flow has nothing to do: give it at least one")
    for flow in flows:
        if isinstance(flow, type) or not callable(getattr(flow, "run", None)):
            raise DeclarationError(f"flows.run({flow!r}): give flows, as Flow[…](options) makes them")
    check_seconds("grace", grace, optional=True)
    check_seconds("wait_for_server", wait_for_server, optional=True)
    if _in_a_loop():
        raise FlowsError(
            "flows.run() has an event loop of its own, and one runs here already: await flow.run() of each flow instead"
        )
    return asyncio.run(_run_all(tuple(dict.fromkeys(flows)), grace, wait_for_server))


def _in_a_loop() -> bool:
    """Return whether a loop runs; nothing may run inside the `except` here, or each traceback begins with it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _run_all(flows: tuple[Runs, ...], grace: float | None, wait_for_server: float | None) -> int:
    runs = [asyncio.ensure_future(flow.run(grace, wait_for_server=wait_for_server)) for flow in flows]
    await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*(flow.stop_all(grace) for flow in flows), return_exceptions=True)
    await asyncio.wait(runs)
    return max(run.result() for run in runs)
