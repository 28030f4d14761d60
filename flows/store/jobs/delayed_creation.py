"""Creates jobs that are to start later, many by one script that is safe to send twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.errors import KeyConflict
from flows.store.client.wire import pack_arguments
from flows.store.jobs.creation import in_batches, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flows.model.creation.job_options import Due
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: How many jobs one script creates.
MOST_JOBS: Final = 200


class DelayedJob(NamedTuple):
    """A job that is ready to be created: its part of the script's arguments, packed."""

    id: str
    arguments: int
    data: bytes

    @property
    def packed(self) -> bytes:
        """The packed arguments."""
        return self.data


class DelayedCreation:
    """Creates the delayed jobs of one flow."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings

    def prepare(self, job_id: str, fields: Mapping[str, bytes], attributes: Sequence[tuple[str, object]]) -> DelayedJob:
        """Return a job that is ready to be created.

        Args:
            job_id: The job's id.
            fields: The fields of its hash, as JSON.
            attributes: The lookup attributes and their values.

        Raises:
            PayloadTooLarge: the fields take more bytes than the flow allows.
        """
        values, _lines = values_of(self._settings, fields, attributes)
        pairs: list[Argument] = [part for pair in values.items() for part in pair]
        arguments = [job_id, values.get("_lookups", b""), len(pairs), *pairs]
        return DelayedJob(job_id, len(arguments), pack_arguments(arguments))

    async def create(self, due: Due, jobs: Iterable[DelayedJob]) -> list[str]:
        """Create jobs in batches, each one script and one round trip, and return their ids.

        Raises:
            StoreFull: nothing of one batch is created, nor of the next ones; those before it are.
            StoreUnavailable: one batch may or may not be created; nothing of the next is sent.
            StoreError: nothing of one job is written; the others of its batch and those before are created.
            Exception: whatever the iterable raises; the batches before are created.
        """
        ids: list[str] = []
        script = self._settings.script("create")
        for batch in in_batches(jobs, MOST_JOBS):
            answers: list[Any] = await self._connection.run(script, self._named(due), packed=batch)
            for _word, *why in answers:
                if why:
                    raise KeyConflict(f"{why[0].decode()}: delete or rename that key; the job was not created")
            ids += [job.id for job in batch]
        return ids

    def _named(self, due: Due) -> dict[str, Argument]:
        settings = self._settings
        return {
            **settings.named(),
            "queue": settings.first_queue,
            "waiting": settings.keys.waiting(settings.first_queue),
            "delayed": settings.keys.delayed(settings.first_queue),
            "delay_ms": due.delay_ms,
            "until_ms": due.until_ms,
            "lookup_ttl": max(settings.ttl_ms, *settings.kept_ms),
        }
