"""Lets a program's own log lines say for which job they were written."""

from __future__ import annotations

import logging

from flows.kernel.current import get_current


class JobContextFilter(logging.Filter):
    """Gives each log record `job_id`, `job_queue` and `job_attempt`: of the job that runs where it was logged, else "".

    Add it to a handler, and name the attributes in the handler's format: `%(job_id)s`. It drops no record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attributes of a record that has none of its own, and let it through."""
        current = get_current()
        if not hasattr(record, "job_id"):
            record.job_id = "" if current is None else current.id
            record.job_queue = "" if current is None else current.queue
            record.job_attempt = "" if current is None else current.attempt
        return True
