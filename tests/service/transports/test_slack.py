"""Messages for channels, against a real web server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flows.service.transports.not_sent import NotSent
from flows.service.transports.slack import Slack
from tests.service.receivers import HERE, an_ending, status, web_server


def slack(url: str = "https://hooks.example/services/T0/B0/xyz", **options: Any) -> Slack:
    """Return a channel that may be on this machine."""
    return Slack("alarm", url=url, **HERE, **options)


async def test_it_tells_what_ended_and_how() -> None:
    """A success is no failure: the word is in the text."""
    async with web_server(status(200, "ok")) as server:
        await slack(server.url).send([an_ending()])
        await slack(server.url).send([an_ending(outcome="done")])
    first, second = (json.loads(request.body)["text"] for request in server.requests)
    assert "mailer email *failed* of acme, job `01936d2c-0000-7abc-8000-000000000001`" in first
    assert "> unknown-order: no such order" in first
    assert "*done*" in second
    assert "failed" not in second
    assert "m-1" not in second


async def test_one_message_for_several() -> None:
    """With how many of each; the message is one request."""
    endings = [an_ending(number) for number in range(3)] + [an_ending(9, "cancelled", message="not wanted")]
    async with web_server() as server:
        await slack(server.url, batch=20, linger=30).send(endings)
    (request,) = server.requests
    lines = json.loads(request.body)["text"].split("\n")
    assert lines[0] == "*3 failed, 1 cancelled*"
    assert lines[-1] == "> not wanted"


def test_a_text_of_somebody_else_calls_nobody() -> None:
    """`<!channel>` in an error's message is shown as it is; a long one is cut, and its lines are one."""
    text = slack().text([an_ending(message="<!channel> & <https://evil.example|click>\n> `x`" + "y" * 500)])
    assert "<" not in text
    assert "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; &gt; 'x'" in text
    assert text.endswith("…")
    assert text.count("\n") == 1


def test_payload_and_result_only_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a link to the job only where it is known where the dashboard is."""
    ending = an_ending(outcome="done")
    assert "order" not in slack().text([ending])
    text = slack(include={"payload", "result"}).text([ending])
    assert '> payload {"order":"7","to":"a@b.example"}' in text
    assert '> result {"message_id":"m-1"}' in text
    monkeypatch.setenv("FLOWS_PUBLIC_URL", "https://flows.example/ops/")
    assert f"<https://flows.example/ops/flows/mailer/jobs/{ending.job_id}|{ending.job_id}>" in slack().text([ending])


def test_a_message_is_never_too_long() -> None:
    """Slack would cut it in the middle."""
    text = slack(batch=1000).text([an_ending(number) for number in range(1000)])
    assert len(text) < 40_000
    assert text.endswith("\n…")


async def test_an_answer_that_says_no() -> None:
    """What the hook says is told, and the hook's own address is not."""
    async with web_server(status(404, "no_service"), status(429, Retry_After="30")) as server:
        with pytest.raises(NotSent, match="answered 404: no_service") as refused:
            await slack(server.url).send([an_ending()])
        assert refused.value.for_good
        assert "of-the-hook" not in refused.value.why
        with pytest.raises(NotSent) as refused:
            await slack(server.url).send([an_ending()])
        assert refused.value.after == 30
