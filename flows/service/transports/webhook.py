"""`Webhook`: posts endings, or a report's file, to an address on the web, signed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from flows.errors import DeclarationError
from flows.model.duration import Duration, check_duration
from flows.model.option_checks import check_flag
from flows.service.secret import Secret, as_secret
from flows.service.transports.address import parse_networks
from flows.service.transports.http_call import post
from flows.service.transports.not_sent import NotSent
from flows.service.transports.signature import signed_headers, signing_keys
from flows.service.transports.target import Reach, parse_target
from flows.service.transports.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flows.service.transports.document import Document
    from flows.service.transports.ending import Ending

_TIMEOUT: Final = timedelta(seconds=25)


@dataclass(frozen=True, kw_only=True)
class Posted(Transport):
    """What a transport that posts to a URL has beside the rest.

    Args:
        url: Where to, `https://…`, or `env:NAME` or `file:PATH` where that stands; never shown in whole.
        allow_http: Take plain http too: for tests, and within one machine.
        allow_networks: Networks that may be called although they are not public, such as "10.0.0.0/8".
        ca_certs: A file of certificates to trust beside the system's.
        timeout: How long one post may take in all.
    """

    url: Secret | str
    allow_http: bool = False
    allow_networks: Sequence[str] = ()
    ca_certs: str | None = None
    timeout: Duration = Duration(_TIMEOUT)  # noqa: RUF009 - a descriptor
    _reach: Reach = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the URL as far as it is known, and what may be called."""
        super().__post_init__()
        object.__setattr__(self, "url", as_secret(self.url))
        check_flag("allow_http", self.allow_http)
        check_duration("timeout", self.timeout)
        networks = parse_networks(self.allow_networks)
        reach = Reach(self.allow_http, networks, self.ca_certs, self.timeout.total_seconds())
        object.__setattr__(self, "_reach", reach)
        if as_secret(self.url).reference is None:
            parse_target(as_secret(self.url).reveal(), allow_http=self.allow_http)

    async def _post(
        self, headers: Callable[[], dict[str, str]], body: Callable[[], Iterable[bytes]], length: int
    ) -> None:
        try:
            target = parse_target(as_secret(self.url).reveal(), allow_http=self.allow_http)
            given = headers()
        except DeclarationError as error:  # what stands elsewhere can be mended there, and is read again each time
            raise NotSent(str(error)) from None
        await post(target, self._reach, given, body(), length)


@dataclass(frozen=True, kw_only=True)
class Webhook(Posted):
    """Posts each ending as JSON, signed as Standard Webhooks says; `verify_webhook` checks it on the other side.

    2xx is taken as received. 408, 425, 429 and 5xx are tried again, after what `Retry-After` says (up to an hour);
    other answers fail for good, and redirects are not followed. `webhook-id` is the same each time. Addresses that are
    not public are refused unless `allow_networks` has them.

    Args:
        secret: `whsec_` and the base64 of 24 to 64 bytes, or where that stands; several, while one takes over from
            another: each signs.

    Raises DeclarationError where an option cannot be used.
    """

    secret: Secret | str | Sequence[Secret | str] = field(repr=False)
    _secrets: tuple[Secret, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the secrets as far as they are known."""
        super().__post_init__()
        given = [self.secret] if isinstance(self.secret, (str, Secret)) else self.secret
        secrets = tuple(map(as_secret, given))
        if not secrets:
            raise DeclarationError(f"webhook {self.name!r} has no secret: receivers could not know who calls")
        if self.batch != 1:
            raise DeclarationError(f"webhook {self.name!r}: batch={self.batch}: a webhook tells of one ending each")
        signing_keys(secret for secret in secrets if secret.reference is None)
        object.__setattr__(self, "secret", secrets)
        object.__setattr__(self, "_secrets", secrets)

    async def send(self, endings: Sequence[Ending]) -> None:
        """Post each ending.

        Raises:
            NotSent: it was not taken.
        """
        for ending in endings:
            await self._tell(ending)

    async def deliver(self, document: Document) -> None:
        """Post a report's file.

        Raises:
            NotSent: it was not taken.
        """
        headers = {
            "Content-Type": "text/csv; charset=utf-8; header=present",
            "Content-Disposition": f'attachment; filename="{document.filename}"',
        }
        await self._signed(document.report_id, document.parts, document.size, headers)

    async def _tell(self, ending: Ending) -> None:
        told = {"type": f"job.{ending.outcome}", "timestamp": ending.ended.isoformat(), "data": self.told(ending)}
        body = to_json(told)
        await self._signed(ending.report_id, lambda: [body], len(body), {})

    async def _signed(
        self, message_id: str, body: Callable[[], Iterable[bytes]], length: int, headers: dict[str, str]
    ) -> None:
        def all_headers() -> dict[str, str]:
            keys = signing_keys(self._secrets)
            signed = signed_headers(message_id, body(), keys, int(time.time()))
            return {"Content-Type": "application/json", **headers, **signed}

        await self._post(all_headers, body, length)
