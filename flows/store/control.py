"""What is done to a job from outside: cancel, retry, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.scripts import load

if TYPE_CHECKING:
    from flows.store.connection import Connection
    from flows.store.scripts import Argument
    from flows.store.terms import Terms


class Control:
    """Acts on the jobs of one flow and of its child queues."""

    def __init__(self, connection: Connection, terms: Terms) -> None:
        self._connection = connection
        self._terms = terms

    async def cancel(self, flow: str, job_id: str, reason: str) -> str:
        """Cancel a job and its children; the word: cancelled, requested, too late, gone or malformed."""
        word, children = await self._connection.run(load("cancel"), {**self._named(flow, job_id), "reason": reason})
        for child in children:
            child_flow, child_id = self._of_key(child)
            await self.cancel(child_flow, child_id, reason)
        return str(word.decode())

    async def retry_job(self, flow: str, job_id: str) -> str:
        """Give a job that has failed or was cancelled a new life; the word: retried, gone, or its state."""
        word = await self._connection.run(load("retry_job"), self._named(flow, job_id))
        return str(word.decode())

    async def delete(self, flow: str, job_id: str) -> bool:
        """Delete a job and its children with all their entries; False where there was none."""
        word, children = await self._connection.run(load("delete"), self._named(flow, job_id))
        for child in children:
            await self.delete(*self._of_key(child))
        return bool(word == b"deleted")

    def _named(self, flow: str, job_id: str) -> dict[str, Argument]:
        return {**self._terms.named(flow), "id": job_id}

    def _of_key(self, key: bytes) -> tuple[str, str]:
        flow, _, job_id = key.decode().removeprefix(f"{self._terms.keys.namespace}job:").rpartition(":")
        return flow, job_id
