"""Reads jobs and writes nothing: their hashes, the ids in lookup lists, the results of many children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.errors import KeyConflict
from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError
from flows.store.jobs.log_line import LogLine, read_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings

_PAGE: Final = 500
#: The kernel's fields that every record needs.
KERNEL_FIELDS: Final = (
    "_status", "_queue", "_attempt", "_error", "_progress", "_history", "_ended", "_reason"
)  # fmt: skip


class Fetch:
    """Reads the jobs of one flow and of its child queues."""

    def __init__(self, connection: Connection, settings: FlowSettings) -> None:
        self._connection = connection
        self._settings = settings

    async def hashes(
        self, jobs: Sequence[tuple[str, str]], fields: Sequence[str] = ()
    ) -> list[dict[str, bytes] | None]:
        """Return the hash of each (flow, id), or only these `fields` of it; None where there is no hash.

        A key that holds another type, written by others, reads as missing.
        """
        found: list[dict[str, bytes] | None] = []
        for start in range(0, len(jobs), _PAGE):
            page = [self._settings.keys.job(flow, job_id) for flow, job_id in jobs[start : start + _PAGE]]
            found += await (self._chosen(page, fields) if fields else self._whole(page))
        return found

    async def placed_hashes(
        self, jobs: Sequence[tuple[str, str]], fields: Sequence[str] = ()
    ) -> list[dict[str, bytes] | None]:
        """Return what `hashes` returns, each with the field `_queue`, which a job that was never claimed does not have.

        Such a job waits in what was the first queue of its flow when it was created.
        """
        found = await self.hashes(jobs, fields)
        fresh = [at for at, job in enumerate(jobs) if self._is_fresh(job, found[at])]
        located = await self._locate([jobs[at][1] for at in fresh])
        claimed: list[int] = []
        for at, queue in zip(fresh, located, strict=True):
            one = found[at]
            if one is not None and queue:
                one["_queue"] = queue
            else:
                claimed.append(at)
        for at, again in zip(claimed, await self.hashes([jobs[at] for at in claimed], fields), strict=True):
            found[at] = again
        return found

    async def lengths(self, jobs: Sequence[tuple[str, str]], fields: Sequence[str]) -> list[dict[str, int]]:
        """Return of each (flow, id) how many bytes some fields hold, 0 where there is none."""
        keys = [self._settings.keys.job(flow, job_id) for flow, job_id in jobs]
        replies = await self._read([("HSTRLEN", key, name) for key in keys for name in fields])
        counts = [reply if isinstance(reply, int) else 0 for reply in replies]
        return [dict(zip(fields, counts[at * len(fields) :], strict=False)) for at in range(len(jobs))]

    def _is_fresh(self, job: tuple[str, str], found: Mapping[str, bytes] | None) -> bool:
        return found is not None and job[0] == self._settings.flow and "_status" not in found and "_queue" not in found

    async def _whole(self, page: Sequence[str]) -> list[dict[str, bytes] | None]:
        commands: list[Command] = [("HGETALL", key) for key in page]
        return [_as_mapping(reply) for reply in await self._read(commands)]

    async def _chosen(self, page: Sequence[str], fields: Sequence[str]) -> list[dict[str, bytes] | None]:
        # A job that waits may have none of these fields, and is there all the same.
        commands: list[Command] = [("TYPE", key) for key in page]
        commands += [("HMGET", key, *fields) for key in page]
        replies = await self._read(commands)
        return [
            {name: value for name, value in zip(fields, values, strict=True) if value is not None}
            if kind == b"hash"
            else None
            for kind, values in zip(replies[: len(page)], replies[len(page) :], strict=True)
        ]

    async def _read(self, commands: list[Command]) -> list[Any]:
        """Return the replies to several reads, the error of a key of another type among them.

        Raises:
            StoreError: the server refuses one of them for another reason: that is no missing job.
        """
        replies = await self._connection.together(commands)
        for reply in replies:
            if isinstance(reply, ReplyError) and reply.code != "WRONGTYPE":
                raise translated(reply) from reply
        return replies

    async def _locate(self, ids: Sequence[str]) -> list[bytes]:
        """Return in which queue each job of the flow waits that was never claimed; b'' for one that has been meanwhile.

        Most often it is the flow's first queue; a flow whose first queue was renamed has several such.
        """
        named = {**self._settings.named(), "queues": self._settings.keys.queues(self._settings.flow)}
        located: list[bytes] = []
        for start in range(0, len(ids), _PAGE):
            located += await self._connection.run(self._settings.script("locate"), named, ids[start : start + _PAGE])
        return located

    async def listed(self, attribute: str, text: str, start: int, stop: int) -> list[str]:
        """Return the ids of a lookup list from index `start` to `stop`, both included, oldest first.

        Raises:
            KeyConflict: the key holds something that is not a list.
        """
        key = self._settings.keys.lookup(self._settings.flow, attribute, text)
        [reply] = await self._read([("LRANGE", key, start, stop)])
        if isinstance(reply, ReplyError):
            raise KeyConflict(f"{key}: {reply}; delete or rename that key")
        return [job_id.decode("utf-8", "replace") for job_id in reply]

    async def alive(self, ids: Sequence[str]) -> list[str]:
        """Return the ids whose hashes exist."""
        keys = self._settings.keys
        commands: list[Command] = [("EXISTS", keys.job(self._settings.flow, job_id)) for job_id in ids]
        replies = await self._read(commands)
        return [job_id for job_id, there in zip(ids, replies, strict=True) if there == 1]

    async def log(self, flow: str, job_id: str) -> list[LogLine]:
        """Return the lines that the job's function has logged, oldest first."""
        lines = await self._connection.call("LRANGE", self._settings.keys.log(flow, job_id), 0, -1)
        return [read_line(line) for line in lines]

    async def children_results(self, flow: str, job_id: str, queue: str) -> bytes | None:
        """Return the results of a parent's children as the join writes them, however many they are.

        Above 500 children, the results are read in pages from a hash beside the parent's.
        """
        keys = self._settings.keys
        jobs = await self._connection.call("HGET", keys.job(flow, job_id), f"children:{queue}:jobs")
        if jobs is None:
            return None
        side = keys.settled(flow, job_id, queue)
        by_child: dict[str, list[bytes]] = {}
        children = child_jobs(jobs, keys.namespace)
        for start in range(0, len(children), _PAGE):
            page = children[start : start + _PAGE]
            settled = await self._connection.call("HMGET", side, *(child_id for _flow, child_id in page))
            for (child_flow, child_id), child_result in zip(page, settled, strict=True):
                child = child_flow.rpartition(":")[2]
                missing = b'{"id":"%b","status":"deleted"}' % child_id.encode()
                by_child.setdefault(child, []).append(child_result or missing)
        lists = (b'"%b":[%b]' % (child.encode(), b",".join(results)) for child, results in by_child.items())
        return b"{" + b",".join(lists) + b"}"


def child_jobs(jobs: bytes, namespace: str) -> list[tuple[str, str]]:
    """Return the (flow, id) of each child from a `children:<queue>:jobs` field."""
    found: list[tuple[str, str]] = []
    for key in jobs.decode("utf-8", "replace").strip("[]").replace('"', "").split(","):
        flow, _, job_id = key.removeprefix(f"{namespace}job:").rpartition(":")
        if flow:
            found.append((flow, job_id))
    return found


def _as_mapping(reply: Any) -> dict[str, bytes] | None:
    if not isinstance(reply, list) or not reply:
        return None
    values: list[Any] = reply  # pyright: ignore[reportUnknownVariableType]
    return {name.decode("utf-8", "replace"): value for name, value in zip(values[::2], values[1::2], strict=True)}
