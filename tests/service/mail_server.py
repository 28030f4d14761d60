"""A real SMTP server for tests, which answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ssl import SSLContext
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

#: The one user that it knows.
USER, PASSWORD = "reports", "of-reports-7d2e"
#: Said instead of an answer: the connection is cut, as by a server that dies.
DIES = "dies"


@dataclass
class MailServer:
    """What it answers to each recipient and to each message, and what came; the last answer counts for ever."""

    answers: list[str] = field(default_factory=lambda: ["250 taken"])
    recipients: dict[str, list[str]] = field(default_factory=dict)
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str], bool]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of all that came, in order, also of messages that were then refused."""
        return [str(message["Message-ID"]) for message in self.messages]

    async def handle_RCPT(  # noqa: N802 - its name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or do not."""
        said = _next(self.recipients.get(address, ["250 known"]))
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Take a message, or do not; what came is kept in either case."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.envelopes.append((str(envelope.mail_from), list(envelope.rcpt_tos), session.ssl is not None))
        self.hosts.append(str(session.host_name))
        said = _next(self.answers)
        if said == DIES:
            assert server.transport is not None
            server.transport.abort()
        return said


def _next(answers: list[str]) -> str:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    told = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=told, handled=False)


@asynccontextmanager
async def mail_server(
    answers: Iterable[str] = ("250 taken",), *, tls: SSLContext | None = None, asks: bool = False, utf8: bool = True
) -> AsyncGenerator[MailServer]:
    """Run an SMTP server on a free port of this machine; with `tls` it offers STARTTLS, and takes nothing without."""
    held = MailServer(list(answers))
    options: dict[str, Any] = {"enable_SMTPUTF8": utf8, "hostname": "mx.example"}
    if tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    if asks:
        options |= {"authenticator": _knows, "auth_required": True}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(held, loop=loop, **options), "127.0.0.1", 0)
    held.port = server.sockets[0].getsockname()[1]
    try:
        yield held
    finally:
        server.close()
