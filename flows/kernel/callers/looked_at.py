"""Looks at jobs for conditions that no list knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from flows.kernel.callers.make_record import make_record
from flows.model.find.conditions import Looked
from flows.store.jobs.fetch import KERNEL_FIELDS, Fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.find.conditions import Condition
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings


async def fitting(
    connection: Connection, settings: FlowSettings, jobs: Sequence[tuple[str, str]], conditions: Sequence[Condition]
) -> list[tuple[str, str]]:
    """Return those of some jobs, given by flow and id, that fit all conditions; without any, all.

    Raises:
        StoreError: the server cannot be used.
    """
    if not conditions or not jobs:
        return list(jobs)
    hashes = await Fetch(connection, settings).hashes(jobs, KERNEL_FIELDS)
    pairs = [(job, _looked(settings, job, one)) for job, one in zip(jobs, hashes, strict=True) if one is not None]
    return [job for job, found in pairs if all(condition.holds(found) for condition in conditions)]


def _looked(settings: FlowSettings, job: tuple[str, str], found: dict[str, bytes]) -> Looked:
    record = make_record(settings, *job, found, BaseModel)
    kind, message = (record.history[-1].error if record.history else None) or ("", "")
    if record.error is not None:
        kind, message = record.error.type, record.error.message
    return Looked(kind, message, record.worker, record.attempts)
