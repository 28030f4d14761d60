"""Creates jobs on a condition, later or by a key, by one script that is safe to send twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.model.creation.job_options import Due
from flows.store.client.wire import pack_arguments
from flows.store.jobs.conditions import condition_text, job_of
from flows.store.jobs.creation import in_batches, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flows.model.creation.keys import Condition
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: How many jobs one script creates.
MOST_JOBS: Final = 200
_AT_ONCE: Final = Due(0)


class DelayedJob(NamedTuple):
    """A job that is ready to be created: its part of the script's arguments, packed."""

    id: str
    arguments: int
    data: bytes
    queue: str

    @property
    def packed(self) -> bytes:
        """The packed arguments."""
        return self.data


class DelayedCreation:
    """Creates the jobs of one flow that are delayed, or have a key."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings

    def prepare(self, job_id: str, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]]) -> DelayedJob:
        """Return a job that is ready to be created.

        Args:
            job_id: The job's id.
            fields: The fields of its hash, as JSON; with `_queue`, it goes to that queue instead of the first one.
            attributes: The lookup attributes and their values.

        Raises:
            PayloadTooLarge: the fields take more bytes than the flow allows.
        """
        values, _lines = values_of(self._settings, fields, attributes)
        pairs: list[Argument] = [part for pair in values.items() for part in pair]
        arguments = [job_id, values.get("_lookups", b""), len(pairs), *pairs]
        queue = values["_queue"].decode() if "_queue" in values else self._settings.first_queue
        return DelayedJob(job_id, len(arguments), pack_arguments(arguments), queue)

    async def create(
        self, due: Due | None, jobs: Iterable[DelayedJob], condition: Condition | None = None
    ) -> list[str]:
        """Create jobs in batches, each one script and one round trip, and return their ids.

        Args:
            due: When they are to start; None: at once.
            jobs: All of one queue; with a condition, one, and its key as the last of its lookup attributes.
            condition: What the key of the job asks for.

        Returns:
            The ids; with a key, that of the job that has it already, if there is one.

        Raises:
            JobExists: the key has a job that keeps this one out.
            StoreFull: nothing of one batch is created, nor of the next ones; those before it are.
            StoreUnavailable: one batch may or may not be created; nothing of the next is sent.
            StoreError: nothing of one job is written; the others of its batch and those before are created.
            Exception: whatever the iterable raises; the batches before are created.
        """
        ids: list[str] = []
        script = self._settings.script("create")
        for batch in in_batches(jobs, MOST_JOBS):
            named = self._named(batch[0].queue, due or _AT_ONCE, condition)
            answers: list[Any] = await self._connection.run(script, named, packed=batch)
            ids += [job_of(job.id, answer, condition) for job, answer in zip(batch, answers, strict=True)]
        return ids

    def _named(self, queue: str, due: Due, condition: Condition | None) -> dict[str, Argument]:
        settings = self._settings
        return {
            **settings.named(settings.flow_of(queue)),
            "queue": queue,
            "waiting": settings.keys.waiting(queue),
            "delayed": settings.keys.delayed(queue),
            "delay_ms": due.delay_ms,
            "until_ms": due.until_ms,
            "condition": condition_text(condition),
            "call": settings.new_call(),
            "lookup_ttl": max(settings.ttl_ms, *settings.kept_ms),
        }
