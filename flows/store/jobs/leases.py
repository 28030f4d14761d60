"""Renews leases in batches on a connection of their own, and rescues jobs whose leases are over."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from flows.errors import StoreUnavailable
from flows.server_url import parse_server_url
from flows.store.client.opener import blocking_client
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument, Script
    from flows.store.jobs.answers import RenewAnswer, RescueAnswer
    from flows.store.jobs.flow_settings import FlowSettings

#: How many leases one call renews.
_AT_ONCE: Final = 200
_RESCUED_AT_ONCE: Final = 100


class LeaseRenewal:
    """Renews leases from a thread, so that a blocked event loop does not lose them."""

    def __init__(self, url: str, settings: FlowSettings) -> None:
        timeout = max(0.1, settings.lease_ms / 8000)
        self._url = parse_server_url(url)
        self._client = blocking_client(self._url, "flows-renewal", timeout=timeout, retries=2)
        self._settings = settings
        self._script = settings.script("renew")
        #: Whether the last request could not be sent or was not answered.
        self.away = False

    def connect(self) -> None:
        """Connect, or see that the connection still stands, so that it is there when leases have to be renewed.

        Raises:
            StoreUnavailable: the server cannot be reached, or has no room for this connection.
        """
        try:
            self._client.ping()
        except ResponseError:
            return  # an answer too: not every account may send PING
        except (RedisError, OSError) as error:
            why = self._url.without_secrets(str(error))
        else:
            return
        raise StoreUnavailable(f"no connection to renew leases by, to {self._url}: {why}")

    def renew(self, queue: str, worker_id: str, held: list[tuple[str, int]]) -> list[RenewAnswer]:
        """Extend the leases of (id, fence) pairs, and return what became of each.

        Raises:
            StoreUnavailable: the server cannot be reached.
        """
        words: list[RenewAnswer] = []
        named = self._named(queue, worker_id)
        for start in range(0, len(held), _AT_ONCE):
            rest = [part for pair in held[start : start + _AT_ONCE] for part in pair]
            words.extend(cast("RenewAnswer", word.decode()) for word in self._send(self._script.command(named, rest)))
        return words

    def renew_claims(self, queue: str, worker_id: str, turn: int) -> None:
        """Extend the leases of what a worker's turn of this number has claimed, if the server has taken it.

        Raises:
            StoreUnavailable: the server cannot be reached.
        """
        self._send(self._script.command(self._named(queue, worker_id, turn)))

    def run(self, script: Script, named: dict[str, Argument], rest: Sequence[Argument] = ()) -> Any:
        """Run another script from the same thread, and return its answer; it has to be safe to send twice.

        Raises:
            StoreUnavailable: the server cannot be reached, or refuses it.
        """
        return self._sent(script, script.command(named, rest))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _named(self, queue: str, worker_id: str, turn: int = 0) -> dict[str, Argument]:
        keys = self._settings.keys
        return {
            **self._settings.named(self._settings.flow_of(queue)),
            "worker_id": worker_id,
            "processing": keys.processing(queue),
            "call": keys.call(worker_id),
            "number": turn,
        }

    def _send(self, command: tuple[Argument, ...]) -> list[bytes]:
        return list(self._sent(self._script, command))

    def _sent(self, script: Script, command: tuple[Argument, ...]) -> Any:
        send: Any = self._client.execute_command
        self.away = False
        try:
            try:
                return send(*command)
            except NoScriptError:
                return send(*script.in_full(command))
        except (RedisError, OSError) as error:
            self.away = isinstance(error, (OSError, RedisConnectionError, RedisTimeoutError))
            if isinstance(error, ReadOnlyError):
                # A primary that has become a replica leaves its connections open: look for the new one.
                self._client.connection_pool.disconnect()
            why = self._url.without_secrets(script.located(str(error)))
        # Nothing of redis-py's is its cause or context: some servers repeat what they refuse, with the password.
        what = "leases could not be renewed" if script is self._script else f"{script.name} could not be sent"
        raise StoreUnavailable(f"{what}: {why}")


async def server_ms(connection: Connection, settings: FlowSettings) -> int:
    """Return the time of the scripts in milliseconds: the server's, and as far ahead as a test has travelled.

    Raises:
        StoreError: the server cannot be reached.
    """
    seconds, micro = await connection.call("TIME")
    return int(seconds) * 1000 + int(micro) // 1000 + settings.ahead_ms


class Rescue:
    """Rescues the jobs of one queue whose leases are over; any number of rescuers may run at once."""

    def __init__(self, connection: Connection, settings: FlowSettings, queue: str) -> None:
        self._connection = connection
        self._script = settings.script("rescue")
        self._named: dict[str, Argument] = {
            **settings.named(settings.flow_of(queue)),
            "queue": queue,
            "waiting": settings.keys.waiting(queue),
            "processing": settings.keys.processing(queue),
        }

    async def rescue(self, until_ms: int) -> list[tuple[str, RescueAnswer]]:
        """Rescue all jobs whose leases are over, and return the id of each with what became of it.

        A call that comes to the server after `until_ms`, in its milliseconds, rescues none.
        """
        answers: list[tuple[str, RescueAnswer]] = []
        named: dict[str, Argument] = {**self._named, "until_ms": until_ms}
        while True:
            some = await self._connection.run(self._script, named)
            for member, word in some:
                job_id = member.decode().rpartition(":")[2]  # in a shared queue, its flow stands before it
                answers.append((job_id, cast("RescueAnswer", word.decode())))
            failpoint("in-rescue")
            if len(some) < _RESCUED_AT_ONCE:
                return answers
