"""`Mail`: tells of endings by mail, and sends the files of scheduled reports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate, parseaddr
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError
from flows.model.option_checks import check_list
from flows.service.transports.not_sent import NotSent
from flows.service.transports.smtp import Line, Smtp
from flows.service.transports.transport import Transport
from flows.service.transports.wording import counted, details, job_page

if TYPE_CHECKING:
    from flows.service.transports.document import Document
    from flows.service.transports.ending import Ending
    from flows.service.transports.smtp import Compose

#: Most servers refuse more, in bytes of the file.
_MOST_ATTACHED: Final = 20 << 20


@dataclass(frozen=True, kw_only=True)
class Mail(Transport):
    """Tells of endings by mail; as the `to` of a report, sends its file.

    `Message-ID` is made of the report's id, the same however often it is sent: most mailboxes show one message once.
    Answers from 400 on are tried again, from 500 on the report fails for good.

    Args:
        to: The recipients, such as "ops@example.org" or "Ops <ops@example.org>".
        sender: Whom it is from.
        smtp: The mail server.

    Raises DeclarationError where an option cannot be used.
    """

    to: Sequence[str]
    sender: str
    smtp: Smtp
    _recipients: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _from: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the addresses."""
        super().__post_init__()
        check_list("to", self.to)
        if not self.to:
            raise DeclarationError("to=[]: give at least one recipient")
        object.__setattr__(self, "to", tuple(self.to))
        object.__setattr__(self, "_recipients", tuple(_address("to", text) for text in self.to))
        object.__setattr__(self, "_from", _address("sender", self.sender))
        if not isinstance(self.smtp, Smtp):  # pyright: ignore[reportUnnecessaryIsInstance] - users' values
            raise DeclarationError(f"smtp={self.smtp!r}: give an Smtp(host, …)")

    async def send(self, endings: Sequence[Ending]) -> None:
        """Send one message for all of them.

        Raises:
            NotSent: the server has not taken it, or has not said so.
        """
        first, ids = endings[0], [ending.report_id for ending in endings]
        what = f"{first.type} {first.outcome}" if len(endings) == 1 else counted(endings)
        why = f": {first.error_type}" if len(endings) == 1 and first.error_type else ""
        name = ids[0] if len(ids) == 1 else sha256(" ".join(ids).encode()).hexdigest()[:32]
        message = self._message(name, first.service, f"{what}{why}")
        text = "\n\n".join("\n".join(self._lines(ending)) for ending in endings)
        await self._hand_over(_composing(message, text))

    async def deliver(self, document: Document) -> None:
        """Send a report's file.

        Raises:
            NotSent: the server has not taken it, or has not said so; or the file is larger than mail servers take.
        """
        if document.size > _MOST_ATTACHED:
            raise NotSent(
                f"the report has {document.size:,} bytes, and a mail takes {_MOST_ATTACHED:,}: "
                "send it to a Directory or a Webhook, or more often",
                for_good=True,
            )
        title = f"{document.name}, {document.rows:,} jobs until {document.until:%Y-%m-%d %H:%M %Z}"
        message = self._message(document.report_id, document.service, title)
        attachment = b"".join(document.parts())
        await self._hand_over(_composing(message, document.summary, document.filename, attachment))

    def _message(self, name: str, service: str, title: str) -> EmailMessage:
        message = EmailMessage(SMTP if all(map(str.isascii, (self._from, *self._recipients))) else SMTPUTF8)
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"] = " ".join(f"[{service}] {title}".split())
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = f"<{name}@{service}.flows>"
        message["Auto-Submitted"] = "auto-generated"
        return message

    def _lines(self, ending: Ending) -> list[str]:
        told = f"{ending.service} {ending.type} {ending.outcome} of {ending.tenant}, at {ending.ended}"
        return [told, job_page(ending) or f"job {ending.job_id}", *details(ending, frozenset(self.include))]

    async def _hand_over(self, compose: Compose) -> None:
        line = Line()
        try:
            await asyncio.to_thread(self.smtp.hand_over, self._from, self._recipients, compose, line)
        except asyncio.CancelledError:
            line.cut()  # else the thread would wait for the server, and might still hand it over
            raise


def _composing(message: EmailMessage, text: str, filename: str = "", attachment: bytes = b"") -> Compose:
    def compose(refused: dict[str, str]) -> bytes:
        """Return the message; those whom it reaches are told whom it does not."""
        lost = "".join(f"\nNot sent to {recipient}: {why}" for recipient, why in refused.items())
        message.set_content(f"{text}\n{lost}", cte="quoted-printable")
        if filename:
            message.add_attachment(attachment, maintype="text", subtype="csv", filename=filename, cte="base64")
        return message.as_bytes()

    return compose


def _address(what: str, text: object) -> str:
    """Return the bare address that a text names."""
    if isinstance(text, str) and text.isprintable():
        local, at, domain = parseaddr(text)[1].rpartition("@")
        if at and local and domain and " " not in local + domain:
            return f"{local}@{domain}"
    raise DeclarationError(f"{what} has {text!r}: give addresses such as 'ops@example.org' or 'Ops <ops@example.org>'")
