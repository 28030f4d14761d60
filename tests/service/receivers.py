"""Real receivers of reports: a web server on asyncio that answers as it is told, and certificates for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.service.transports.ending import Ending, Outcome

Answering: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]

#: This machine may be called.
HERE: dict[str, Any] = {"allow_http": True, "allow_networks": ["127.0.0.0/8"]}


@dataclass
class Request:
    """What came: its first line, its headers by their names in small letters, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """A web server that keeps what came, and answers each request by the next of its answers, the last one for ever."""

    answers: list[Answering]
    port: int = 0
    tls: bool = False
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook?key=of-the-hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and answer it."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append(Request(line, headers, body))
            await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a caller may go away
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()


@asynccontextmanager
async def web_server(*answers: Answering, tls: ssl.SSLContext | None = None) -> AsyncGenerator[WebServer]:
    """Run a web server on a free port of this machine."""
    held = WebServer(list(answers) or [status(200)], tls=tls is not None)
    calls: set[asyncio.Task[None]] = set()

    def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.add(asyncio.ensure_future(held.serve(reader, writer)))

    server = await asyncio.start_server(called, "127.0.0.1", 0, ssl=tls)
    held.port = server.sockets[0].getsockname()[1]
    try:
        yield held
    finally:
        server.close()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


def status(code: int, body: str = "", **headers: str) -> Answering:
    """Answer with a status."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {code} Word\r\nContent-Length: {len(body)}\r\n{lines}\r\n{body}".encode())
        await writer.drain()

    return answer


def raw(data: bytes, *, reset: bool = False) -> Answering:
    """Answer with these bytes, and with nothing more; `reset` cuts the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if reset:
            writer.transport.abort()

    return answer


def silence(heard: asyncio.Event) -> Answering:
    """Answer nothing, and say when the request was there."""

    async def answer(_writer: asyncio.StreamWriter) -> None:
        heard.set()
        await asyncio.Event().wait()

    return answer


def endless(sent: list[int]) -> Answering:
    """Answer 200 with a gibibyte; how much of it left is put into `sent`."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for count in range(1024):
            sent[:] = [count]
            writer.write(bytes(1 << 20))
            await writer.drain()

    return answer


@dataclass(frozen=True)
class Certificate:
    """A certificate for this machine that nothing but its own file vouches for."""

    certificates: Path
    context: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    """Make a certificate for 127.0.0.1 and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificates, private = folder / "receiver.pem", folder / "receiver.key"
    certificates.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates, private)
    return Certificate(certificates, context)


def an_ending(number: int = 1, outcome: Outcome = "failed", **changed: Any) -> Ending:
    """Return an ending as a worker would read it."""
    given: dict[str, Any] = {
        "report_id": f"01936d2c-0000-7001-8000-{number:012d}",
        "service": "mailer",
        "job_id": f"01936d2c-0000-7abc-8000-{number:012d}",
        "type": "email",
        "tenant": "acme",
        "outcome": outcome,
        "ended": datetime(2026, 11, 26, 8, 30, tzinfo=UTC),
        "error_type": "unknown-order" if outcome == "failed" else None,
        "message": "no such order" if outcome == "failed" else "",
        "payload": {"order": "7", "to": "a@b.example"},
        "result": {"message_id": "m-1"} if outcome == "done" else None,
        "links": ("orders/7",),
    }
    return Ending(**{**given, **changed})
