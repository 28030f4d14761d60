"""Mails against a real SMTP server: what it answers, what is encrypted, and one Message-ID however often they go."""

from __future__ import annotations

import asyncio
import socket
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from flows.errors import DeclarationError
from flows.service.transports.document import Document
from flows.service.transports.mail import Mail
from flows.service.transports.not_sent import NotSent
from flows.service.transports.smtp import Smtp
from tests.service.mail_server import DIES, PASSWORD, USER, MailServer, mail_server
from tests.service.receivers import an_ending, make_certificate
from tests.waiting import until


def mail(server: MailServer, smtp: dict[str, Any] | None = None, **options: Any) -> Mail:
    """Return a mail by a server of this machine, without TLS unless `smtp` says otherwise."""
    given = {"host": "127.0.0.1", "port": server.port, "security": "none", **(smtp or {})}
    usual = {"to": ["ops@example.org"], "sender": "Flows <no@example.org>", "smtp": Smtp(**given)}
    return Mail("ops", **{**usual, **options})


async def test_it_tells_how_a_job_ended() -> None:
    """Who, what, why, in the subject and in the text; and that nobody wrote it by hand."""
    async with mail_server() as server:
        await mail(server, include={"payload"}).send([an_ending()])
    (message,) = server.messages
    assert message["Subject"] == "[mailer] email failed: unknown-order"
    assert message["From"] == "Flows <no@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "mailer email failed of acme, at 2026-11-26 08:30:00+00:00" in text
    assert "unknown-order: no such order" in text
    assert 'payload {"order":"7","to":"a@b.example"}' in text
    assert server.envelopes == [("no@example.org", ["ops@example.org"], False)]


async def test_a_message_has_one_id_however_often_it_goes() -> None:
    """451 and a server that dies after DATA are tried again; both times under the id of the report."""
    async with mail_server(["451 come back", DIES, "250 taken"]) as server:
        told = mail(server)
        with pytest.raises(NotSent, match=r"127\.0\.0\.1: 451 come back") as refused:
            await told.send([an_ending()])
        assert (refused.value.for_good, refused.value.is_unknown) == (False, False)
        with pytest.raises(NotSent) as refused:
            await told.send([an_ending(again=True)])
        assert (refused.value.for_good, refused.value.is_unknown) == (False, True)
        await told.send([an_ending(again=True)])
    assert server.ids == [f"<{an_ending().report_id}@mailer.flows>"] * 3


async def test_several_endings_in_one_message() -> None:
    """With an id of the whole, which is the same where they are told again together."""
    endings = [an_ending(number) for number in range(3)]
    async with mail_server() as server:
        told = mail(server, batch=20)
        await told.send(endings)
        await told.send(endings)
        await told.send(endings[:2])
    assert server.messages[0]["Subject"] == "[mailer] 3 failed"
    assert server.ids[0] == server.ids[1] != server.ids[2]


async def test_what_a_server_refuses_for_good() -> None:
    """550 to the message or to all recipients is no matter of time."""
    async with mail_server(["550 spam"]) as server:
        with pytest.raises(NotSent, match="550 spam") as refused:
            await mail(server).send([an_ending()])
        assert refused.value.for_good
        server.recipients["ops@example.org"] = ["550 nobody"]
        with pytest.raises(NotSent, match=r"takes none of the recipients: .*550 nobody") as refused:
            await mail(server).send([an_ending()])
        assert refused.value.for_good
    assert len(server.messages) == 1


async def test_one_recipient_is_refused() -> None:
    """For good: the others get the message, which says so. For the moment: nobody does, lest one gets it twice."""
    async with mail_server() as server:
        server.recipients["gone@example.org"] = ["550 nobody"]
        server.recipients["slow@example.org"] = ["451 greylisted", "250 known"]
        await mail(server, to=["ops@example.org", "gone@example.org"]).send([an_ending()])
        assert "Not sent to gone@example.org: 550 nobody" in server.messages[0].get_content()
        with pytest.raises(NotSent, match="451 greylisted") as refused:
            await mail(server, to=["ops@example.org", "slow@example.org"]).send([an_ending()])
        assert not refused.value.for_good
        assert len(server.messages) == 1
        await mail(server, to=["ops@example.org", "slow@example.org"]).send([an_ending()])
    assert server.envelopes[-1][1] == ["ops@example.org", "slow@example.org"]


async def test_starttls_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is checked first, then the password goes; a wrong one is tried again, as somebody may mend it."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    async with mail_server(tls=certificate.context, asks=True) as server:
        smtp = {"security": "starttls", "username": USER, "password": "env:SMTP_PASSWORD"}
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            await mail(server, smtp).send([an_ending()])
        trusting = {**smtp, "ca_certs": str(certificate.certificates)}
        await mail(server, trusting).send([an_ending()])
        assert server.envelopes[-1][2]
        with pytest.raises(NotSent, match="takes no such user: 535") as refused:
            await mail(server, {**trusting, "password": "wrong"}).send([an_ending()])
        assert not refused.value.for_good
        monkeypatch.delenv("SMTP_PASSWORD")
        with pytest.raises(NotSent, match="SMTP_PASSWORD is not set"):
            await mail(server, trusting).send([an_ending()])
    assert len(server.messages) == 1


async def test_nothing_goes_in_the_clear() -> None:
    """A server that offers no STARTTLS gets no message: whoever stands between may have taken the offer away."""
    async with mail_server() as server:
        with pytest.raises(NotSent, match="STARTTLS extension not supported") as refused:
            await mail(server, {"security": "starttls"}).send([an_ending()])
        assert not refused.value.for_good
    assert server.messages == []


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    """A server that talks no TLS is not talked to."""
    certificate = make_certificate(tmp_path)
    async with mail_server() as server:
        with pytest.raises(NotSent):
            await mail(server, {"security": "tls", "ca_certs": str(certificate.certificates)}).send([an_ending()])
    assert server.messages == []


async def test_addresses_with_other_letters() -> None:
    """Go to servers that take them, and to no others."""
    async with mail_server() as server:
        await mail(server, to=["größe@example.org"]).send([an_ending()])
        assert server.envelopes[0][1] == ["größe@example.org"]
    async with mail_server(utf8=False) as server:
        with pytest.raises(NotSent, match="other letters than ASCII's") as refused:
            await mail(server, to=["größe@example.org"]).send([an_ending()])
        assert refused.value.for_good


async def test_what_stands_in_a_job_makes_no_header() -> None:
    """A type of error that brings a line of its own stays in the subject."""
    async with mail_server() as server:
        await mail(server).send([an_ending(error_type="a\r\nBcc: evil@example.org", message="é\n.\n\nQUIT")])
    (message,) = server.messages
    assert message["Subject"] == "[mailer] email failed: a Bcc: evil@example.org"
    assert message["Bcc"] is None
    assert "é . QUIT" in message.get_content()


async def test_a_server_that_keeps_silent_is_left() -> None:
    """After the timeout of an answer; and at once where the attempt is given up: its thread ends too."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        server = MailServer(port=deaf.getsockname()[1])
        with pytest.raises(NotSent, match="timed out"):
            await mail(server, {"timeout": 0.2}).send([an_ending()])
    answers, talked = asyncio.Event(), asyncio.Event()

    async def half(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.example\r\n")
        await writer.drain()
        await _reader.readline()
        talked.set()
        if await _reader.read(1) == b"":
            answers.set()
        writer.close()

    listening = await asyncio.start_server(half, "127.0.0.1", 0)
    server = MailServer(port=listening.sockets[0].getsockname()[1])
    sending = asyncio.ensure_future(mail(server, {"timeout": 600}).send([an_ending()]))
    await talked.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await until(answers.is_set)
    listening.close()


async def test_a_report_is_attached() -> None:
    """With what it is of, and how many jobs it could not tell of; a file that is too large says what to do."""
    content = "Order,Status\r\n7,é\r\n".encode()
    since = until_ = an_ending().ended
    document = Document("r-1", "mailer", "daily", since, until_, "daily.csv", BytesIO(content), len(content), 1, 1)
    async with mail_server() as server:
        await mail(server).deliver(document)
        (message,) = server.messages
        assert message["Message-ID"] == "<r-1@mailer.flows>"
        assert message["Subject"] == "[mailer] daily, 1 jobs until 2026-11-26 08:30 UTC"
        (attached,) = message.iter_attachments()
        assert attached.get_filename() == "daily.csv"
        assert attached.get_payload(decode=True) == content
        body = message.get_body(("plain",))
        assert body is not None
        assert "of 1 the job is gone" in " ".join(body.get_content().split())
        large = Document("r-2", "mailer", "daily", since, until_, "daily.csv", BytesIO(), 30 << 20, 1, 0)
        with pytest.raises(NotSent, match="send it to a Directory or a Webhook") as refused:
            await mail(server).deliver(large)
        assert refused.value.for_good


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"to": []}, "at least one recipient"),
        ({"to": "ops@example.org"}, "give a list"),
        ({"to": ["ops"]}, "to has 'ops'"),
        ({"to": ["a@b\r\nBcc: c@d"]}, "give addresses such as"),
        ({"to": [5]}, "to has 5"),
        ({"sender": "nobody"}, "sender has 'nobody'"),
        ({"smtp": "smtp.example.org"}, "give an Smtp"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_declared(options: dict[str, Any], why: str) -> None:
    """With what to write instead."""
    with pytest.raises(DeclarationError, match=why):
        Mail(**{"to": ["ops@example.org"], "sender": "no@example.org", "smtp": Smtp("smtp.example.org"), **options})


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"host": ""}, "the name of a mail server"),
        ({"security": "ssl"}, "give one of starttls, tls, none"),
        ({"port": 0}, "1 to 65535"),
        ({"port": True}, "1 to 65535"),
        ({"username": "u"}, "a username and a password, or neither"),
        ({"password": "p"}, "a username and a password, or neither"),
        ({"username": "u", "password": "p", "security": "none"}, "in the clear"),
        ({"timeout": 0}, "is not positive"),
    ],
)
def test_servers_that_cannot_be_meant_are_refused(options: dict[str, Any], why: str) -> None:
    """Each with what to do."""
    with pytest.raises(DeclarationError, match=why):
        Smtp(**{"host": "smtp.example.org", **options})


def test_the_ports_are_the_usual_ones() -> None:
    """Where none is given; and the password is shown nowhere."""
    ports = [Smtp("a", security=security).port for security in ("starttls", "tls", "none")]
    assert ports == [587, 465, 25]
    assert PASSWORD not in repr(Smtp("a", username="u", password=PASSWORD))
