"""Begins bulk actions on the jobs of one flow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from flows.errors import StoreFull
from flows.model.arguments import check_text
from flows.model.codec import encode_value
from flows.model.creation.job_options import check_delay
from flows.pipeline.bulk.action import FREEING, BulkParams, BulkVerb
from flows.pipeline.bulk.bulk_job import BulkJob
from flows.pipeline.bulk.direct import DirectBulkJob
from flows.pipeline.bulk.service import BulkService
from flows.store.jobs.leases import server_ms

if TYPE_CHECKING:
    from datetime import timedelta

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.find.query import JobQuery
    from flows.pipeline.declaration import Declaration


class BulkActions:
    """Begins bulk actions on the jobs of one flow; beside each of its sessions stands what does them."""

    def __init__(self, runtime: Runtime, declaration: Declaration) -> None:
        self._runtime = runtime
        self._declaration = declaration
        runtime.companion = self._beside

    async def begin(
        self, verb: BulkVerb, query: JobQuery, *, undo: timedelta | float = 0, reason: str = "", to: str = ""
    ) -> BulkJob:
        """Begin to act on the jobs that match a query and are there by now.

        Args:
            verb: What to do.
            query: To which jobs.
            undo: How long nothing is done yet, so that `cancel` leaves no trace: a timedelta, or seconds.
            reason: Why jobs are cancelled.
            to: To which queue jobs are moved.

        Raises:
            ValidationError: an argument is refused.
            StoreError: the server cannot be used; StoreFull where it is out of memory and the action frees none.
        """
        delay_ms = check_delay("undo", undo)
        encode_value("reason", check_text("reason", reason))
        session = await self._runtime.open()
        service = cast("BulkService", session.companion)
        params = BulkParams(
            flow=self._runtime.options.name,
            verb=verb,
            query=json.dumps(query.to_dict(), separators=(",", ":")),
            before_ms=await server_ms(session.connection, session.settings) + 1,
            reason=reason,
            to=to,
        )
        try:
            async with service.flow.used():
                job_id = await service.flow.actions.create(params, {"delay": delay_ms / 1000})
        except StoreFull:
            if verb not in FREEING:
                raise
            return DirectBulkJob(self._runtime, service, params, delay_ms)
        service.poke()
        return BulkJob(self._runtime, job_id)

    def _beside(self, session: Session) -> BulkService:
        return BulkService(self._runtime, session, self._declaration)
