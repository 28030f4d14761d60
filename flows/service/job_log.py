"""`job.log`: the updates that a job's function tells while it runs, each a status word and any JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.jobs.log_line import pack_update

if TYPE_CHECKING:
    from pydantic import JsonValue

    from flows.kernel.current import CurrentJob
    from flows.service.levels import Level
    from flows.service.tenants.tenancy import Entered


class JobLog:
    """The log of one job, which `service.updates(job_id)` reads; its methods may be called from threads too.

    A line costs no round trip: it is written with the next turn of the worker. Lines of levels that are not kept cost
    nothing. After the attempt has ended, lines are still kept, marked as late, until the job's next attempt begins.
    """

    __slots__ = ("_current", "_entered")

    def __init__(self, current: CurrentJob, entered: Entered) -> None:
        self._current = current
        self._entered = entered

    def error(self, status: str, meta: JsonValue = None) -> None:
        """Tell of something that went wrong; the arguments are those of `info`.

        Raises:
            ValidationError: the status is no word, or `meta` no JSON.
            LostLease: another attempt has the job.
        """
        self._tell("error", status, meta)

    def info(self, status: str, meta: JsonValue = None) -> None:
        """Tell how far the job is.

        Args:
            status: A word of at most 64 characters.
            meta: What else there is to say, as JSON: a text of 4,096 characters, or an object of 4,096 bytes.

        Raises:
            ValidationError: the status is no word, or `meta` no JSON.
            LostLease: another attempt has the job.
        """
        self._tell("info", status, meta)

    def debug(self, status: str, meta: JsonValue = None) -> None:
        """Tell what helps to find a fault; the arguments are those of `info`.

        Raises:
            ValidationError: the status is no word, or `meta` no JSON.
            LostLease: another attempt has the job.
        """
        self._tell("debug", status, meta)

    def trace(self, status: str, meta: JsonValue = None) -> None:
        """Tell each step; the arguments are those of `info`.

        Raises:
            ValidationError: the status is no word, or `meta` no JSON.
            LostLease: another attempt has the job.
        """
        self._tell("trace", status, meta)

    def _tell(self, level: Level, status: str, meta: JsonValue) -> None:
        if level in self._entered.kept:
            line = pack_update(status, level, meta, self._current.attempt)
            self._current.pass_on(b"", self._entered.scrubbed_line(line))
