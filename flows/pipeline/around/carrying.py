"""Runs attempts where a flow has middleware: they know what their jobs carry, and children get it from parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.outcome import AwaitChildren
from flows.model.values.carried import CARRIED, carried_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flows.kernel.attempt import Attempt
    from flows.kernel.attempt_runner import Runner, Watch
    from flows.model.hooks import Hooks
    from flows.model.outcome import Outcome


class CarryingRunner:
    """Runs the attempts of another runner; a claim reads for it one field more."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.timeout = runner.timeout
        self.worker_id = ""

    @property
    def fields(self) -> list[str]:
        """The fields of the job's hash that a claim has to read."""
        return [*self._runner.fields, CARRIED]

    def clock(self, watch: Watch) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run."""
        return self._runner.clock(watch)

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that is over its timeout."""
        return self._runner.timed_out(attempt)

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run one attempt and return its outcome; the children that it awaits carry what their parent does.

        Raises:
            HostUnable: the function did not begin, and its job is not to blame.
        """
        raw = attempt.current.carried_json = attempt.claimed.values.pop()
        outcome = await self._runner.run(attempt)
        if raw is not None and isinstance(outcome, AwaitChildren) and carried_of(raw):
            for child in outcome.children:
                child.fields[CARRIED] = raw
        return outcome


def carrying(runner: Runner, middleware: Iterable[Hooks]) -> Runner:
    """Return the runner of a flow with such middleware: where there is none, the runner itself."""
    return CarryingRunner(runner) if any(True for _ in middleware) else runner
