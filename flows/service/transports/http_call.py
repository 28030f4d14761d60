"""Posts a body to a target and judges the answer: one connection, one deadline, nothing followed.

On asyncio's streams, since a thread of the standard library's client cannot be stopped: a receiver that sends a byte
every ten seconds would hold it for ever.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPException, parse_headers
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

from flows.service.transports.address import resolve
from flows.service.transports.not_sent import NotSent
from flows.version import __version__

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Iterable, Mapping
    from email.message import Message

    from flows.service.transports.target import Reach, Target

#: So much of an answer is read, in bytes: of its head, and of its body.
_MOST_READ: Final = 65_536
#: So long the body of an answer is waited for, in seconds: what it says is already known by its head.
_BODY_WAIT: Final = 1.0
#: So long one address of a host has to be reached, in seconds.
_CONNECT_WAIT: Final = 10.0
#: So many interim answers (100, 103) are passed over.
_MOST_INTERIM: Final = 10
_SHOWN: Final = 200
#: Where answers begin that are final, and those that say: moved, your fault, my fault.
_FINAL, _MOVED, _REFUSED, _BROKEN = 200, 300, 400, 500
#: No receiver is waited for longer than this, in seconds, whatever its Retry-After says.
_LONGEST_AFTER: Final = 3600.0
#: These are tried again: request timeout, too early, too many requests. So are all of the server's own.
_AGAIN: Final = frozenset({408, 425, 429})
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")


class Answer(NamedTuple):
    """What a receiver answered."""

    status: int
    retry_after: float | None
    excerpt: str


async def post(target: Target, reach: Reach, headers: Mapping[str, str], body: Iterable[bytes], length: int) -> None:
    """Post a body, and return if the receiver has taken it: it answered 2xx.

    Args:
        target: Where to.
        reach: What may be called.
        headers: Headers beside those that every request has.
        body: The body in parts.
        length: Its length in bytes.

    Raises:
        NotSent: it did not answer 2xx.
    """
    begun = asyncio.Event()
    try:
        async with asyncio.timeout(reach.timeout):
            judge(await _ask(target, reach, headers, body, length, begun), target)
    except TimeoutError:
        why = f"{target.shown} did not answer within {reach.timeout:g} s"
        raise NotSent(why, is_unknown=begun.is_set()) from None
    except (OSError, EOFError) as error:  # ssl.SSLError is an OSError, IncompleteReadError an EOFError
        raise NotSent(f"{target.shown}: {_told(error)}", is_unknown=begun.is_set()) from None


def judge(answer: Answer, target: Target) -> None:
    """Check that an answer says that the body was taken.

    Raises:
        NotSent: it does not; 408, 425, 429 and 5xx may be tried again.
    """
    status = answer.status
    if _FINAL <= status < _MOVED:
        return
    said = f": {answer.excerpt}" if answer.excerpt else ""
    hint = "; redirects are not followed" if _MOVED <= status < _REFUSED else ""
    again = status in _AGAIN or status >= _BROKEN
    after = answer.retry_after if again else None
    raise NotSent(f"{target.shown} answered {status}{said}{hint}", after=after, for_good=not again)


async def _ask(  # noqa: PLR0917 - one post
    target: Target,
    reach: Reach,
    headers: Mapping[str, str],
    body: Iterable[bytes],
    length: int,
    begun: asyncio.Event,
) -> Answer:
    reader, writer = await _connect(target, reach)
    try:
        every = {
            "Host": target.authority,
            "User-Agent": f"flows/{__version__}",
            "Content-Length": str(length),
            "Connection": "close",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**every, **headers}.items())
        begun.set()
        writer.write(f"POST {target.path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        try:
            for part in body:
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass  # who refuses a body may answer and close without reading it: the answer tells more
        return await _answer(reader)
    finally:
        writer.transport.abort()  # an orderly end of TLS would wait for the receiver


async def _connect(target: Target, reach: Reach) -> tuple[StreamReader, StreamWriter]:
    """Connect to the first of the host's addresses that can be reached."""
    tls = _tls(reach.ca_certs) if target.tls else None
    error: OSError | None = None
    for address in await resolve(target.host, target.port, reach.networks):
        try:
            async with asyncio.timeout(_CONNECT_WAIT):
                return await asyncio.open_connection(
                    address, target.port, ssl=tls, server_hostname=target.host if tls else None, limit=_MOST_READ
                )
        except ssl.SSLCertVerificationError:
            raise
        except OSError as failed:  # TimeoutError is one
            error = failed
    raise error or OSError("the name has no address")


async def _answer(reader: StreamReader) -> Answer:
    for _ in range(_MOST_INTERIM):
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise OSError(f"it answered with more than {_MOST_READ} bytes of headers") from None
        line = _STATUS_LINE.match(raw)
        if line is None:
            raise OSError("what it answered is not HTTP")
        status = int(line[1])
        if status >= _FINAL:
            try:
                headers = parse_headers(BytesIO(raw[line.end() :]))
            except HTTPException:
                raise OSError("it answered with headers that cannot be read") from None
            return Answer(status, _retry_after(headers), await _excerpt(reader, headers))
    raise OSError("it answered that it goes on, and never more")


async def _excerpt(reader: StreamReader, headers: Message) -> str:
    """Return the beginning of the body, as far as it came; what is left of it is dropped with the connection."""
    told = headers.get("Content-Length", "")
    most = min(int(told), _MOST_READ) if told.isdecimal() else _MOST_READ
    found = bytearray()
    try:
        async with asyncio.timeout(_BODY_WAIT):
            while len(found) < most and (part := await reader.read(most - len(found))):
                found += part
    except (OSError, EOFError):  # also where it did not come in time
        pass
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        found = found.partition(b"\r\n")[2].partition(b"\r\n")[0]
    text = found[: 4 * _SHOWN].decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:_SHOWN]


def _retry_after(headers: Message) -> float | None:
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        seconds = float(told)
    else:
        try:
            when = parsedate_to_datetime(told)
            seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_AFTER)


@cache
def _tls(ca_certs: str | None) -> ssl.SSLContext:
    """Return what checks certificates; made once, since reading the system's takes tens of milliseconds."""
    context = ssl.create_default_context()
    if ca_certs is not None:
        context.load_verify_locations(ca_certs)
    return context


def _told(error: Exception) -> str:
    if isinstance(error, asyncio.IncompleteReadError):
        return "it closed the connection before it answered"
    return str(error) or type(error).__name__
