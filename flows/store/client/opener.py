"""Opens connections to one server by redis-py, which gets each argument by its name and never the URL.

So nothing of a URL that is shared with other code can change what flows sets itself, and redis-py can show none of it.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import redis
from redis import connection as of_threads
from redis.asyncio import connection as of_asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError
from redis.retry import Retry as BlockingRetry

from flows.errors import StoreUnavailable
from flows.server_url import ServerUrl, parse_server_url
from flows.store.client.wire import ANSWER_TIMEOUT, Disconnected, ReplyError, Wire, pack_command

if TYPE_CHECKING:
    import asyncio

#: Who is refused says so by one of these words, whatever the class of redis-py's error.
_REFUSED: Final = ("NOAUTH", "WRONGPASS", "NOPERM")
#: How redis-py introduces itself; left alone, it reads its version from the disk for each try of a connection.
_DRIVER: Final[dict[str, Any]] = {"driver_info": redis.DriverInfo()} if hasattr(redis, "DriverInfo") else {}

_logger = logging.getLogger("flows.store")
#: Servers whose URLs' ignored options this process has been told of.
_warned: set[tuple[str, tuple[str, ...]]] = set()


class Opener:
    """Opens wires to one server; the server lists them by the name, where it can, and has so many seconds to answer."""

    def __init__(self, url: str, name: str, timeout: float = ANSWER_TIMEOUT) -> None:
        self.url = parse_server_url(url)
        self._name = name
        self._timeout = timeout
        _warn_of_ignored(self.url)

    async def open(self) -> Wire:
        """Open a connection by redis-py, with one try, and take its transport over.

        Raises:
            StoreUnavailable: the credentials are refused, or the TLS options cannot be used.
            Disconnected: there is no server, or it does not answer.
        """
        connection = self._connection()
        failure = await self._connect(connection)
        if failure is not None:
            await connection.disconnect(nowait=True)
            # Nothing of redis-py's is its cause or context: some servers repeat what they refuse, with the password.
            raise failure
        writer: asyncio.StreamWriter = connection._writer  # noqa: SLF001 - redis-py has no public way to it
        connection._writer = connection._reader = None  # noqa: SLF001 - so that it never closes what is ours now
        wire = Wire(connection, writer)
        # A server that refuses the name, or names at all, lists it without one: that we are let in is what counts.
        answer = await wire.send(pack_command(("CLIENT", "SETNAME", self._name)), 1, self._timeout)
        if isinstance(answer, ReplyError) and answer.code == "NOAUTH":
            wire.close()
            raise StoreUnavailable(f"{self.url} refuses the credentials: {self._shown(answer)}")
        return wire

    def _connection(self) -> Any:
        """Return redis-py's connection, which is not connected yet.

        Raises:
            StoreUnavailable: this redis-py does not know one of the TLS options.
        """
        kind = _kind(of_asyncio, self.url)
        try:
            return kind(
                **_arguments(self.url),
                protocol=2,
                socket_timeout=self._timeout,
                socket_connect_timeout=self._timeout,
                retry=Retry(NoBackoff(), 0),
            )
        except TypeError:
            pass
        raise StoreUnavailable(_unknown_tls_option(self.url))

    async def _connect(self, connection: Any) -> StoreUnavailable | Disconnected | None:
        """Connect, and return why that failed."""
        try:
            if self.url.tls:
                connection.ssl_context.get()
        except (OSError, ValueError, TypeError, RedisError) as error:
            return StoreUnavailable(f"the TLS options for {self.url} cannot be used: {self._shown(error)}")
        try:
            await connection.connect()
        except (RedisError, OSError) as error:
            # Over a unix socket redis-py wraps what the greeting raised in a ConnectionError.
            refused = isinstance(error.__cause__ or error, (AuthenticationError, AuthorizationError))
            if refused or any(word in str(error) for word in _REFUSED):
                return StoreUnavailable(f"{self.url} refuses the credentials: {self._shown(error)}")
            return Disconnected(f"no answer from {self.url}: {self._shown(error)}")
        return None

    def _shown(self, error: Exception) -> str:
        return self.url.without_secrets(str(error))


def blocking_client(url: ServerUrl, name: str, *, timeout: float, retries: int) -> redis.Redis:
    """Return a client for a thread, with one connection; the server lists it by the name, where it can.

    Args:
        url: The server.
        name: What `CLIENT LIST` shows.
        timeout: How long the server may be silent, in seconds.
        retries: How often a request is sent again.

    Raises:
        StoreUnavailable: this redis-py does not know one of the TLS options.
    """

    def connected(connection: Any) -> None:
        connection.on_connect()
        connection.send_command("CLIENT", "SETNAME", name)
        try:
            connection.read_response()
        except ResponseError as error:
            _logger.debug("the server refuses a name for the connection: %s", url.without_secrets(str(error)))

    try:
        pool = redis.ConnectionPool(
            connection_class=_kind(of_threads, url),
            **_arguments(url),
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=BlockingRetry(NoBackoff(), retries),
            retry_on_error=[redis.ConnectionError, redis.TimeoutError],
            redis_connect_func=connected,
        )
    except TypeError:
        pass
    else:
        return redis.Redis.from_pool(pool)
    raise StoreUnavailable(_unknown_tls_option(url))


def _kind(module: Any, url: ServerUrl) -> Any:
    """Return redis-py's class of connection, of the module for asyncio or of that for threads."""
    if url.socket_path is not None:
        return module.UnixDomainSocketConnection
    return module.SSLConnection if url.tls else module.Connection


def _arguments(url: ServerUrl) -> dict[str, Any]:
    """Return what redis-py needs to know of a server, by its names."""
    place = {"host": url.host, "port": url.port} if url.socket_path is None else {"path": url.socket_path}
    return {**place, "db": url.db, "username": url.username, "password": url.password, **url.tls_options, **_DRIVER}


def _unknown_tls_option(url: ServerUrl) -> str:
    return f"redis-py {redis.__version__} does not know one of these options: {', '.join(url.tls_options)}; update it"


def _warn_of_ignored(url: ServerUrl) -> None:
    """Say once a process which options of a server's URL do nothing."""
    what = (str(url), url.ignored)
    if url.ignored and what not in _warned:
        _warned.add(what)
        _logger.warning("flows ignores %s in the URL of %s: it sets that itself", ", ".join(url.ignored), url)
