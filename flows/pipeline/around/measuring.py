"""Measures creations, for monitors; where nobody listens, `create_job` does not come here."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic

from pydantic import BaseModel

from flows.errors import StoreError
from flows.pipeline.signature import ParamsT
from flows.telemetry.measured import Created

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.model.creation.job_options import JobOptions
    from flows.pipeline.job_actions import JobActions
    from flows.telemetry.measured import Listeners


class MeasuredCreation(Generic[ParamsT]):
    """Creates jobs, and tells how long that took.

    Args:
        actions: What creates them.
        listeners: Who is told.
        flow: The flow's name.
        queue: Its first queue.
    """

    def __init__(self, actions: JobActions[ParamsT], listeners: Listeners[Created], flow: str, queue: str) -> None:
        self._actions = actions
        self._listeners = listeners
        self._flow = flow
        self._queue = queue

    async def create(self, params: ParamsT, options: JobOptions) -> str:
        """Create a job and return its id."""
        with self._measured(_Counted([params])) as given:
            given.taken = 1
            return await self._actions.create(params, options)

    async def create_many(self, many: Iterable[ParamsT], options: JobOptions) -> list[str]:
        """Create a job for each of many params, and return their ids in order."""
        with self._measured(_Counted(many)) as given:
            # What is not many is refused as it is.
            return await self._actions.create_many(given if _is_many(many) else many, options)

    @contextmanager
    def _measured(self, given: _Counted[ParamsT]) -> Generator[_Counted[ParamsT]]:
        began, error = time.perf_counter(), None
        try:
            yield given
        except BaseException as raised:
            error = raised
            raise
        finally:
            # What is refused here, or interrupted by whoever wants it no more, never came to the server.
            sent = given.taken if error is None or isinstance(error, StoreError) else 0
            why = None if error is None else type(error).__name__
            self._listeners.tell(Created(self._flow, self._queue, sent, time.perf_counter() - began, why))


def _is_many(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, (str, bytes, bytearray, Mapping, BaseModel))


class _Counted(Generic[ParamsT]):
    """Params, and how many of them were taken."""

    def __init__(self, many: Iterable[ParamsT]) -> None:
        self._many = many
        self.taken = 0

    def __iter__(self) -> Iterator[ParamsT]:
        for params in self._many:
            self.taken += 1
            yield params
