"""What an operator can ask and do, each operation once: for Python, the command line, HTTP and agents."""

from flows.api import audit, bulk, flows, jobs, queues, runs, schedules, server, stats, trees, workers
from flows.api.admin import Admin
from flows.api.caller import Caller, Role
from flows.api.operation import Operation, find_operation, operation, operations
from flows.api.problems import Problem, problem_of
from flows.api.reading.query import JobQuery
from flows.api.views.view import Acted
from flows.errors import Forbidden, NothingThere, TooManyRequests

__all__ = [
    "Acted",
    "Admin",
    "Caller",
    "Forbidden",
    "JobQuery",
    "NothingThere",
    "Operation",
    "Problem",
    "Role",
    "TooManyRequests",
    "audit",
    "bulk",
    "find_operation",
    "flows",
    "jobs",
    "operation",
    "operations",
    "problem_of",
    "queues",
    "runs",
    "schedules",
    "server",
    "stats",
    "trees",
    "workers",
]
