"""Webhooks against a real web server: what counts as received, what is tried again, and what is signed."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Standard

from flows.errors import DeclarationError
from flows.service.secret import Secret
from flows.service.transports.document import Document
from flows.service.transports.not_sent import NotSent
from flows.service.transports.signature import verify_webhook
from flows.service.transports.webhook import Webhook
from tests.service.receivers import (
    HERE,
    Answering,
    an_ending,
    endless,
    make_certificate,
    raw,
    silence,
    status,
    web_server,
)

SECRET = "whsec_" + "QUJD" * 11  # 33 bytes
OLD = "whsec_" + "REVG" * 11


def hook(url: str, **options: Any) -> Webhook:
    """Return a webhook that may call this machine."""
    return Webhook("orders", **{"url": url, "secret": SECRET, **HERE, **options})


async def refusal(*answers: Answering, **options: Any) -> NotSent:
    """Return how a webhook to a server that answers so fails."""
    async with web_server(*answers) as server:
        with pytest.raises(NotSent) as refused:
            await hook(server.url, **options).send([an_ending()])
        assert "of-the-hook" not in str(refused.value)
        return refused.value


@pytest.mark.parametrize("code", [200, 201, 204])
async def test_an_answer_of_2xx_is_taken_as_received(code: int) -> None:
    """One request is enough, and it names the ending: its report's id, its job, its type, how it ended."""
    async with web_server(status(code)) as server:
        await hook(server.url).send([an_ending()])
    (request,) = server.requests
    assert request.line == "POST /hook?key=of-the-hook HTTP/1.1"
    told = json.loads(request.body)
    assert (told["type"], told["timestamp"]) == ("job.failed", "2026-11-26T08:30:00+00:00")
    assert told["data"]["id"] == request.headers["webhook-id"] == an_ending().report_id
    assert told["data"]["error"] == {"type": "unknown-order", "message": "no such order"}
    assert told["data"]["links"] == ["orders/7"]
    assert "payload" not in told["data"]
    assert "result" not in told["data"]


@pytest.mark.parametrize("code", [302, 400, 401, 404, 410, 422])
async def test_an_answer_that_says_no_is_for_good(code: int) -> None:
    """What the receiver does not take it will not take the next time; a redirect is not followed."""
    refused = await refusal(status(code, "you are\nnot known", Location="http://127.0.0.1:1/", Retry_After="5"))
    assert refused.for_good
    assert f"answered {code}: you are not known" in refused.why
    assert refused.after is None


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503])
async def test_an_answer_that_says_later_is_tried_again(code: int) -> None:
    """After what Retry-After says, where it says anything."""
    refused = await refusal(status(code, Retry_After="17"))
    assert (refused.for_good, refused.after) == (False, 17.0)
    assert (await refusal(status(code))).after is None


async def test_retry_after_is_bounded_and_may_be_a_date() -> None:
    """No receiver puts a report off for more than an hour, and nonsense counts as nothing."""
    assert (await refusal(status(503, Retry_After="999999999999"))).after == 3600
    assert (await refusal(status(503, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT"))).after == 3600
    assert (await refusal(status(503, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"))).after == 0
    assert (await refusal(status(503, Retry_After="-1 soon"))).after is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "closed the connection before it answered"),
        (b"HTTP/1.1 200", "closed the connection before it answered"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", "bytes of headers"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "headers that cannot be read"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "never more"),
    ],
)
async def test_an_answer_that_is_none_is_tried_again(data: bytes, why: str) -> None:
    """A receiver that breaks off, or talks something else, may be well the next time."""
    refused = await refusal(raw(data))
    assert why in refused.why
    assert not refused.for_good


async def test_a_connection_that_is_cut() -> None:
    """Before the head of the answer nobody knows; after it the receiver has said what it had to say."""
    cut = await refusal(raw(b"HTTP/1.1 2", reset=True))
    assert (cut.for_good, cut.is_unknown) == (False, True)
    async with web_server(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", reset=True)) as server:
        await hook(server.url).send([an_ending()])
    assert not (await refusal(raw(b"HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\nhalf", reset=True))).for_good


async def test_interim_answers_are_passed_over() -> None:
    """100 and 103 come before the answer."""
    async with web_server(raw(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n")) as server:
        await hook(server.url).send([an_ending()])


async def test_a_receiver_that_keeps_silent_is_left() -> None:
    """After the timeout of the whole post; the connection is closed."""
    heard = asyncio.Event()
    refused = await refusal(silence(heard), timeout=0.2)
    assert heard.is_set()
    assert "did not answer within 0.2 s" in refused.why
    assert not refused.for_good


async def test_a_gibibyte_of_an_answer_is_not_read() -> None:
    """No more than fits into the buffers on the way leaves the receiver."""
    sent: list[int] = []
    async with web_server(endless(sent)) as server:
        await hook(server.url).send([an_ending()])
    assert sent[0] < 64


async def test_nobody_listens() -> None:
    """A receiver that is down is tried again."""
    async with web_server() as server:
        url = server.url
    with pytest.raises(NotSent, match=r"^http://127.0.0.1:\d+: ") as refused:
        await hook(url).send([an_ending()])
    assert (refused.value.for_good, refused.value.is_unknown) == (False, False)


async def test_it_is_signed_as_standard_webhooks_says() -> None:
    """The standard's own package takes it by either secret while one takes over from the other, and so do we."""
    async with web_server() as server:
        await hook(server.url, secret=[SECRET, OLD], include={"payload"}).send([an_ending()])
    (request,) = server.requests
    for secret in (SECRET, OLD):
        assert Standard(secret).verify(request.body, request.headers)["data"]["payload"]["order"] == "7"
        assert verify_webhook(request.headers, request.body, secret) == an_ending().report_id


async def test_a_second_try_has_the_same_id() -> None:
    """A receiver that keeps ids sees each ending once, however often it is told."""
    async with web_server(status(500), status(200)) as server:
        with pytest.raises(NotSent):
            await hook(server.url).send([an_ending()])
        await hook(server.url).send([an_ending(again=True)])
    assert len({request.headers["webhook-id"] for request in server.requests}) == 1
    assert server.requests[0].body == server.requests[1].body


async def test_tls_is_checked(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is refused before anything is sent."""
    certificate = make_certificate(tmp_path)
    async with web_server(tls=certificate.context) as server:
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            await hook(server.url).send([an_ending()])
        assert server.requests == []
        await hook(server.url, ca_certs=str(certificate.certificates)).send([an_ending()])
        await hook(
            server.url.replace("127.0.0.1", "localhost"),
            ca_certs=str(certificate.certificates),
            allow_networks=["127.0.0.0/8", "::1"],
        ).send([an_ending()])
    assert [request.headers["host"] for request in server.requests] == [
        f"127.0.0.1:{server.port}",
        f"localhost:{server.port}",
    ]


async def test_addresses_that_are_not_public_are_not_called() -> None:
    """Unless they are allowed: no connection is made."""
    async with web_server() as server:
        with pytest.raises(NotSent, match=r"127\.0\.0\.1 is not a public address") as refused:
            await hook(server.url, allow_networks=[]).send([an_ending()])
    assert refused.value.for_good
    assert server.requests == []


async def test_what_stands_in_the_environment_is_read_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL or secret that is missing is no lost report: it is tried again until somebody sets it."""
    given = Webhook("orders", url="env:OUR_HOOK", secret=Secret("env:OUR_SECRET"), **HERE)
    with pytest.raises(NotSent, match="OUR_HOOK is not set") as refused:
        await given.send([an_ending()])
    assert not refused.value.for_good
    async with web_server() as server:
        monkeypatch.setenv("OUR_HOOK", server.url)
        monkeypatch.setenv("OUR_SECRET", SECRET)
        await given.send([an_ending()])
    assert verify_webhook(server.requests[0].headers, server.requests[0].body, SECRET)
    assert "of-the-hook" not in repr(given)


async def test_a_report_is_posted_as_a_file() -> None:
    """With its id, signed over all of it."""
    content = b"Order,Status\r\n" + b"7,Success\r\n" * 20_000
    since, until = an_ending().ended, an_ending().ended
    document = Document("r-1", "mailer", "daily", since, until, "d.csv", BytesIO(content), len(content), 20_000, 0)
    async with web_server() as server:
        await hook(server.url).deliver(document)
    (request,) = server.requests
    assert request.body == content
    assert verify_webhook(request.headers, request.body, SECRET) == "r-1"
    assert request.headers["content-disposition"] == 'attachment; filename="d.csv"'


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "http://x.example/", "allow_http": False}, "give one of https; allow_http=True"),
        ({"url": "ftp://x.example/"}, "begins with 'ftp'"),
        ({"url": "https://"}, "names no host"),
        ({"url": "https://x.example:0/"}, "names no host and port"),
        ({"url": "https://x.example:99999/"}, "cannot be read"),
        ({"url": "https://[x/"}, "cannot be read"),
        ({"url": "https://me:pw@x.example/"}, "has a user"),
        ({"url": "https://x.example/#a"}, "a fragment"),
        ({"url": "https://x.example/a b"}, "has spaces"),
        ({"url": "https://x.example/\r\nX: y"}, "has spaces"),
        ({"url": ""}, "a secret is a text that is not empty"),
        ({"secret": "whsec_short"}, "24 to 64 random bytes"),
        ({"secret": "not base64!" * 5}, "24 to 64 random bytes"),
        ({"secret": []}, "has no secret"),
        ({"batch": 2}, "one ending each"),
        ({"batch": 0}, "positive whole number"),
        ({"linger": 7200}, "give 0 to 3600 s"),
        ({"on": {"finished"}}, "on has 'finished': give some of 'done', 'failed', 'cancelled'"),
        ({"on": "failed"}, "give a set of texts"),
        ({"on": set()}, "is told of nothing"),
        ({"types": []}, "is told of nothing"),
        ({"include": {"everything"}}, "give some of 'payload', 'result'"),
        ({"allow_networks": ["10.0.0.0/33"]}, "give networks such as"),
        ({"allow_networks": "10.0.0.0/8"}, "give a list"),
        ({"timeout": 0}, "is not positive"),
        ({"delivery": "once"}, "give one of at_least_once, at_most_once"),
        ({"allow_http": 1}, "give True or False"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_declared(options: dict[str, Any], why: str) -> None:
    """With what to do, and without the secret parts of a URL."""
    with pytest.raises(DeclarationError, match=why):
        hook(**{"url": "https://orders.example/hook", **options})
