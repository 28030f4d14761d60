"""`AwsClient`: a client of one of Amazon's services, and its faults as errors of flows; it needs the extra `aws`."""

from __future__ import annotations

import asyncio
import importlib
import logging
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flows.errors import DeclarationError, MissingExtra, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

#: A call waits so long for an answer, in seconds: longer than a queue lets one wait for messages.
_ANSWER: Final = 40
_CONNECT: Final = 5
#: So many calls are on their way at once at most.
_CONNECTIONS: Final = 50
_TRIES: Final = 5
#: At DEBUG they write whole requests, with the session token in a header.
_TOO_OPEN: Final = ("aiobotocore.endpoint", "botocore.auth", "botocore.endpoint")


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """Who calls Amazon's services. Nothing shows the secret parts.

    Attributes:
        access_key_id: Which key it is.
        secret_access_key: The key.
        session_token: What goes with a key that holds for a time.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class AwsRefused(StoreError):
    """A service has refused a call; `code` is its word for why, `response` all that it has answered."""

    def __init__(self, operation: str, code: str, message: str, response: dict[str, Any]) -> None:
        hint = ": make its table by create_table()" if code == "ResourceNotFoundException" else ""
        super().__init__(f"{operation} was refused: {code}: {message}{hint}")
        self.code = code
        self.response = response


class AwsClient:
    """Calls one service. It opens at the first call, for one event loop.

    Args:
        service: Which: `dynamodb` or `sqs`.
        region: Where; None: what the environment says.
        endpoint: The URL of another server of the same kind, such as moto's.
        credentials: Who calls; None: botocore looks for them where it always does.

    Raises:
        MissingExtra: aiobotocore is not installed.
        DeclarationError: the endpoint is no URL, or has a user in it; or the credentials are none.
    """

    def __init__(
        self, service: str, region: str | None, endpoint: str | None, credentials: AwsCredentials | None
    ) -> None:
        config: Any = _module("aiobotocore.config")
        self._errors: Any = _module("botocore.exceptions")
        for name in _TOO_OPEN:
            if (logger := logging.getLogger(name)).level == logging.NOTSET:
                logger.setLevel(logging.INFO)
        self._service = service
        self._options: dict[str, Any] = {
            "region_name": region,
            "endpoint_url": None if endpoint is None else _endpoint(endpoint),
            "config": config.AioConfig(
                connect_timeout=_CONNECT,
                read_timeout=_ANSWER,
                max_pool_connections=_CONNECTIONS,
                retries={"mode": "standard", "total_max_attempts": _TRIES},
                warm_up_loader_caches=True,  # else the event loop waits while many files are read
            ),
        }
        if credentials is not None:
            if not isinstance(credentials, AwsCredentials):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DeclarationError(f"credentials= is a {type(credentials).__name__}: give AwsCredentials(…)")
            self._options["aws_access_key_id"] = credentials.access_key_id
            self._options["aws_secret_access_key"] = credentials.secret_access_key
            self._options["aws_session_token"] = credentials.session_token
        self._session = _session()
        self._opening: tuple[AbstractAsyncContextManager[Any], asyncio.Task[Any]] | None = None

    def __repr__(self) -> str:
        return f"<AwsClient of {self._service}>"

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation, such as `get_item`, and return its answer.

        Raises:
            AwsRefused: the service has refused it.
            StoreUnavailable: no service, no credentials, or no answer in time.
        """
        try:
            client = await self._client()
            answer: dict[str, Any] = await getattr(client, operation)(**parameters)
        except self._errors.ClientError as error:
            told = error.response.get("Error", {})
            said = f"{self._service}.{operation}", str(told.get("Code", "")), str(told.get("Message", ""))
            raise AwsRefused(*said, error.response) from error
        except (self._errors.BotoCoreError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"{self._service} cannot be used: {type(error).__name__}: {error}") from error
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if self._opening is not None:
            (context, opening), self._opening = self._opening, None
            await asyncio.wait({opening})
            if not _has_failed(opening):
                await context.__aexit__(None, None, None)

    async def _client(self) -> Any:
        """Return the client; who is cancelled meanwhile leaves it to be opened, for `close` to find."""
        if self._opening is None or _has_failed(self._opening[1]):
            context: AbstractAsyncContextManager[Any] = self._session.create_client(self._service, **self._options)
            self._opening = context, asyncio.ensure_future(context.__aenter__())
        return await asyncio.shield(self._opening[1])


def _has_failed(opening: asyncio.Task[Any]) -> bool:
    return opening.done() and (opening.cancelled() or opening.exception() is not None)


@cache
def _session() -> Any:
    """Return what all clients of this process share: it has read what they are made of."""
    return _module("aiobotocore.session").get_session()


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra("a client of Amazon's services", "aws") from None


def _endpoint(url: str) -> str:
    """Return the URL of a server; one that has a user would be shown where a connection fails."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_one = False
    if not is_one:
        raise DeclarationError("endpoint= is none: give the URL of a server, such as http://127.0.0.1:5000")
    return url
