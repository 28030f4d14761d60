"""What the server allows: a loop that claims and finishes jobs with the least that scripts can do for them.

Nothing is decoded, no function runs, and of a job's life there is only its status, its fence and its lease.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import os
import socket
import time
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, Final

from hiredis import Reader
from measure import told
from redis import Redis

from flows.store.client.wire import pack_command

#: Keys: waiting, processing. Arguments: how job keys begin, the fence, the end of the lease.
_CLAIM: Final = """
local jobs, leases = {}, {}
for i, id in ipairs(redis.call('LPOP', KEYS[1], 100) or {}) do
  local key = ARGV[1] .. id
  jobs[i] = { id, redis.call('HMGET', key, 'user_id', 'guild_id', 'role_ids', 'reason') }
  redis.call('HSET', key, 'status', 'processing', 'fence', ARGV[2])
  leases[2 * i - 1], leases[2 * i] = ARGV[3], id
end
if #jobs > 0 then redis.call('ZADD', KEYS[2], unpack(leases)) end
return jobs
"""

#: Key: processing. Arguments: how job keys begin, the fence, then the ids.
_FINISH: Final = """
for i = 3, #ARGV do
  local key = ARGV[1] .. ARGV[i]
  if redis.call('HGET', key, 'fence') == ARGV[2] then
    redis.call('HSET', key, 'status', 'done', 'ok', 'true')
    redis.call('PEXPIRE', key, 86400000)
  end
end
return redis.call('ZREM', KEYS[1], unpack(ARGV, 3))
"""


async def work(parent: Connection, url: str) -> None:
    """Drain the queue `bench-1` of `subject.one_queue` whenever the parent says so, as `processes.work` does."""
    loop = Bare(url, "bench")
    while await told(parent):
        parent.send(0)
        await told(parent)
        loop.drain()
        await told(parent)
        parent.send(0)


class Bare:
    """The loop on the first queue of the flow of this name."""

    def __init__(self, url: str, flow: str) -> None:
        """Connect and load the scripts."""
        self._server = _Server(url)
        self._keys = f"queue:{flow}-1:waiting", f"queue:{flow}-1:processing", f"job:{flow}:"
        self._claim, self._finish = (self._server("SCRIPT", "LOAD", script) for script in (_CLAIM, _FINISH))
        self._fences = (f"{os.getpid()} {number}" for number in count())

    def drain(self, most: float = float("inf")) -> None:
        """Claim and finish jobs until there are no more, or at least so many are done."""
        waiting, processing, prefix = self._keys
        done = 0
        while done < most:
            fence, lease = next(self._fences), str(time.time_ns() // 1_000_000 + 30_000)
            jobs = self._server("EVALSHA", self._claim, "2", waiting, processing, prefix, fence, lease)
            if not jobs:
                return
            self._server("EVALSHA", self._finish, "1", processing, prefix, fence, *(job[0] for job in jobs))
            done += len(jobs)


class _Server:
    """A socket; calling it sends a command and waits for the reply."""

    def __init__(self, url: str) -> None:
        # redis-py knows all kinds of URLs and logs in; after that, nothing of it is in the way.
        pool: Any = Redis.from_url(url, protocol=2).connection_pool
        self._connection = pool.get_connection()
        self._socket: socket.socket = self._connection._sock  # noqa: SLF001 - it has no public way to it
        self._reader = Reader()

    def __call__(self, *command: str | bytes) -> Any:  # noqa: ANN401 - a server's reply may be anything
        self._socket.sendall(pack_command(command))
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(1 << 16))
        if isinstance(reply, Exception):
            raise reply
        return reply
