"""For tests of programs that use flows: a server, a namespace and a clock of their own, and what to assert."""

from __future__ import annotations

from flows.telemetry.failpoints import POINTS, InjectedFault
from flows.testing.drain import Drained
from flows.testing.isolated import Isolated, isolated
from flows.testing.running_job import RunningJob, running_job, running_jobs
from flows.testing.server import private_server, server_for_tests
from flows.testing.workflow import TestedRun, replay, run_workflow

__all__ = [
    "POINTS",
    "Drained",
    "InjectedFault",
    "Isolated",
    "RunningJob",
    "TestedRun",
    "isolated",
    "private_server",
    "replay",
    "run_workflow",
    "running_job",
    "running_jobs",
    "server_for_tests",
]
