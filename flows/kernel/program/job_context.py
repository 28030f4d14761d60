"""Lets a program's own log lines say for which job they were written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flows.kernel.current import get_batch, get_current

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class JobContextFilter(logging.Filter):
    """Gives each log record `job_id`, `job_queue`, `job_attempt` and `correlation_id`: of the job that runs there.

    Add it to a handler, and name the attributes in the handler's format: `%(job_id)s`. What there is none of is "". It
    drops no record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attributes of a record that has none of its own, and let it through."""
        if not hasattr(record, "job_id"):
            known = _job()
            for name in ("job_id", "job_queue", "job_attempt"):
                setattr(record, name, known.get(name, ""))
        if not hasattr(record, "correlation_id"):
            record.correlation_id = _correlation_id() or ""
        return True


def add_job_context(logger: object, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give a line of structlog the same four names, as far as they are known; lines outside of jobs stay as they are.

    Name it among the processors: `structlog.configure(processors=[add_job_context, …])`. What a line says of its own
    stays.
    """
    del logger, method
    if "job_id" not in event_dict:
        event_dict.update(_job())
    if (correlation_id := _correlation_id()) is not None:
        event_dict.setdefault("correlation_id", correlation_id)
    return event_dict


def _job() -> dict[str, str | int]:
    """Return the job that runs here; of a batch only the queue, since a line of its function is of many jobs."""
    current = get_current()
    if current is None:
        return {}
    if get_batch() is not None:
        return {"job_queue": current.queue}
    return {"job_id": current.id, "job_queue": current.queue, "job_attempt": current.attempt}


def _correlation_id() -> str | None:
    current = get_current()
    return None if current is None or get_batch() is not None else current.correlation_id
