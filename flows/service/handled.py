"""A type of jobs as the worker of a service has it: how its attempts are judged, and how long they may run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from flows.errors import PayloadTooLarge
from flows.kernel.judge import Judge

if TYPE_CHECKING:
    from flows.model.plan import QueuePlan
    from flows.service.job_type import JobType


class Handled:
    """A type that this process has a handler of, as its worker needs it; `queue` is the one that its jobs run from."""

    def __init__(self, kind: JobType[Any, Any], plan: QueuePlan) -> None:
        of = kind.options
        self.kind = kind
        self.queue = plan.queue
        self.judge = Judge(replace(plan, options=replace(plan.options, retries=of.retries, timeout=of.timeout)))
        self.seconds = of.timeout.total_seconds()
        #: Whether its function is called for one job at a time, in the loop.
        self.is_plain = kind.shapes.is_async and of.size is None
        self._most = plan.max_payload

    def encoded(self, result: object) -> bytes:
        """Return what its function has returned as JSON.

        Raises:
            ValidationError: it is no result of the type; PayloadTooLarge where it is too long.
        """
        data = self.kind.shapes.result.encode(result)
        if len(data) > self._most:
            raise PayloadTooLarge(
                f"the result takes {len(data):,} bytes, over max_payload={self._most:,}: store large data elsewhere, "
                "and return where it is"
            )
        return data


def type_key(name: str) -> bytes:
    """Return the name of a type as a claim brings it."""
    return to_json(name)
