"""Lets middleware see the jobs of functions in processes, which get them as they came from Redis all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flows.kernel.current import current_job
from flows.model.codec import Decoder, encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.current import CurrentJob
    from flows.kernel.process.messages import EncodedJob
    from flows.model.job import Job, JobResult
    from flows.model.verdict import Verdict


class BehindMiddleware:
    """The end of the chain: calls the process for a job that middleware has seen."""

    def __init__(
        self, call: Callable[[EncodedJob], Awaitable[JobResult | Verdict | None]], decoder: Decoder[Job]
    ) -> None:
        self._call = call
        self._decoder = decoder
        #: What the jobs that middleware sees just now are made of.
        self._seen: dict[CurrentJob, tuple[Job, EncodedJob]] = {}

    def show(self, current: CurrentJob, encoded: EncodedJob) -> Job:
        """Return the job of an attempt for middleware to see, until `forget`."""
        job = self._decoder.decode(encoded.values, encoded.known)
        self._seen[current] = job, encoded
        return job

    def forget(self, current: CurrentJob) -> None:
        """Forget an attempt, which has ended."""
        self._seen.pop(current, None)

    async def call(self, job: Job) -> JobResult | Verdict | None:
        """Call the process for the job that middleware has handed on."""
        seen, encoded = self._seen[current_job()]
        return await self._call(encoded if job is seen else self._changed(encoded, job))

    def _changed(self, encoded: EncodedJob, job: Job) -> EncodedJob:
        """Return a job that middleware has put in the other's place; the results of children stay as they are."""
        fields = encode(job)
        values = [
            value if name.startswith("children:") else fields.get(name)
            for name, value in zip(self._decoder.fields, encoded.values, strict=True)
        ]
        return replace(encoded, values=values)
