"""Who is told of endings: a receiver of webhooks and a mail server, both real and on this machine."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import StringIO

from aiosmtpd.smtp import SMTP, Envelope, Session

from flows import ValidationError
from flows.service import verify_webhook
from mailer_terms import HOOK_SECRET


@dataclass
class Receivers:
    """What came: the ids of webhooks, each as often as it came, the mails, and all bytes as they were."""

    webhooks: list[str] = field(default_factory=list[str])
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    raw: list[bytes] = field(default_factory=list[bytes])
    hook: str = ""
    smtp_port: int = 0

    def report(self, report_id: str) -> list[dict[str, str]] | None:
        """Return the rows of a report that came by mail; None: it has not."""
        for mail in self.mails:
            for attached in mail.iter_attachments():
                if str(mail["Message-ID"]).startswith(f"<{report_id}@"):
                    return list(csv.DictReader(StringIO(str(attached.get_content()), newline="")))
        return None

    async def take_webhook(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a request; the first one is asked to come again."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line.partition(": ") for line in head.decode("latin-1").strip().split("\r\n")[1:]]
            headers = {name.lower(): value for name, _, value in lines}
            body = await reader.readexactly(int(headers["content-length"]))
            answer = b"503 Later\r\nRetry-After: 0"
            if self.raw:
                answer = self._answer_to(headers, body)
            self.raw.append(head + body)
            writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # its sender was killed
        finally:
            writer.close()

    def _answer_to(self, headers: dict[str, str], body: bytes) -> bytes:
        try:
            self.webhooks.append(verify_webhook(headers, body, f"env:{HOOK_SECRET}"))
        except ValidationError:
            return b"400 Not signed"
        return b"204 Taken"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Take a mail."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.raw.append(content)
        mail = message_from_bytes(content, policy=default)
        self.mails.append(mail)
        for part in mail.walk():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                self.raw.append(payload)
        return "250 Taken"


@asynccontextmanager
async def receivers() -> AsyncGenerator[Receivers]:
    """Run both on free ports."""
    held, loop = Receivers(), asyncio.get_running_loop()
    web = await asyncio.start_server(held.take_webhook, "127.0.0.1", 0)
    held.hook = f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}/endings"
    mail = await loop.create_server(lambda: SMTP(held, loop=loop, hostname="mailer.example"), "127.0.0.1", 0)
    held.smtp_port = mail.sockets[0].getsockname()[1]
    try:
        yield held
    finally:
        web.close()
        mail.close()
