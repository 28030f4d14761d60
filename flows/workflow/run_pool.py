"""The workers that an app has in this process: one for each queue of the kernel that they serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.errors import DeclarationError
from flows.kernel.handler import Handler
from flows.kernel.limits.process_slots import ProcessSlots
from flows.kernel.program.worker_pool import WorkerPool
from flows.kernel.worker import Worker
from flows.model.names import check_name
from flows.model.option_checks import check_list, check_number
from flows.model.runs.queue_names import override_of, run_queue, version_of, workflow_of
from flows.workflow.run_flow import RunJob

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.kernel.attempt_runner import Runner
    from flows.workflow.declared import Declared
    from flows.workflow.host import Host


#: A run that stands in a step consists of some 75 containers, its job among them; with room for no more, the collector
#: would run whenever the runs that are open have been replaced once.
_CONTAINERS: Final = 100


class MakeRunner(Protocol):
    """Makes what runs the attempts of a workflow's runs."""

    def __call__(self, workflow: Declared, queue: str, handler: Handler | None, /) -> Runner:
        """Return it, for one queue of the kernel; `handler` has what the app's lifespan brings, if it has one."""
        ...


@dataclass(frozen=True, slots=True)
class Team:
    """Workers that were created together: for which queues, and how many runs they execute at once."""

    queues: frozenset[str] | None
    """None: all queues of what the app defines."""
    slots: ProcessSlots

    def serves(self, workflow: Declared, queue: str) -> bool:
        """Return whether it takes runs of a workflow from one of that workflow's queues of the kernel."""
        override = override_of(queue)
        if version_of(queue) not in {"", workflow.options.version_text}:
            return False
        return self.queues is None or (override or workflow.options.queue) in self.queues


class RunPool(WorkerPool):
    """The workers of one app."""

    def __init__(self, host: Host, make_runner: MakeRunner) -> None:
        super().__init__(host.runtime)
        self._host = host
        self._make_runner = make_runner
        self._teams: list[Team] = []

    def create(self, queues: object, concurrency: object) -> None:
        """Let workers be there when the app starts.

        Raises:
            DeclarationError: the queues are no list of names, the concurrency is no positive whole number, or the
                app's workers run already.
        """
        check_number("concurrency", concurrency)
        if self.served():
            raise DeclarationError("create_workers: workers of this app run already; call it before they start")
        named: frozenset[str] | None = None
        if queues is not None:
            check_list("queues", queues)
            names: list[Any] = list(queues)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportUnknownVariableType, reportCallIssue]
            named = frozenset(check_name("queue", name) for name in names)
        self._teams.append(Team(named, ProcessSlots(int(str(concurrency)), _CONTAINERS)))

    def serve(self, known: Iterable[str]) -> None:
        """Have a worker for each queue of the kernel that a team serves and none has.

        Args:
            known: The queues that runs of any app have stood in.
        """
        have = {worker.queue for worker in self.workers}
        for team in self._teams:
            for queue, workflow in self.wanted(team, known).items():
                if queue not in have:
                    have.add(queue)
                    self.add([self._worker(team, workflow, queue)])

    def wanted(self, team: Team, known: Iterable[str]) -> dict[str, Declared]:
        """Return the queues of the kernel that a team serves, each with its workflow."""
        definitions = self._host.definitions
        pinned = (
            run_queue(name, pinned=one.options.version_text)
            for name, one in definitions.items()
            if one.options.on_change == "pin"
        )
        queues = dict.fromkeys([*definitions, *pinned, *known])
        found = {queue: definitions.get(workflow_of(queue)) for queue in queues}
        return {queue: one for queue, one in found.items() if one is not None and team.serves(one, queue)}

    def _worker(self, team: Team, workflow: Declared, queue: str) -> Worker:
        rules = workflow.rules
        most = team.slots.most
        lanes = most if rules is None or not rules.slots else min(most, rules.slots)
        lifespan, handler = self._host.options.lifespan, None
        if lifespan is not None and workflow.function is not None:
            handler = Handler(workflow.function, RunJob, "loop", lanes, lifespan=lifespan)
        return Worker(self._runtime, queue, self._make_runner(workflow, queue, handler), lanes, handler, team.slots)
