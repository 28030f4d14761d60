"""Signatures of webhooks: ours and those that the standard's own package makes."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Standard

from flows.errors import DeclarationError, ValidationError
from flows.service.transports.signature import verify_webhook

SECRET = "whsec_" + "QUJD" * 11
OTHER = "whsec_" + "REVG" * 11
BODY = b'{"type":"job.done"}'


def headers(secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Return the headers that the standard's own package would send."""
    when = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    signature = Standard(secret).sign("r-1", when, BODY.decode())
    return {
        "Webhook-Id": "r-1",
        "Webhook-Timestamp": str(int(when.timestamp())),
        "Webhook-Signature": signature,
    }


def test_a_webhook_of_another_sender_is_taken() -> None:
    """By any of the secrets, and whatever the case of its headers' names; the id is told."""
    assert verify_webhook(headers(), BODY, SECRET) == "r-1"
    assert verify_webhook(headers(), BODY, [OTHER, SECRET.removeprefix("whsec_")]) == "r-1"
    several = {**headers(), "Webhook-Signature": f"v2,x {headers(OTHER)['Webhook-Signature']} v1,é"}
    assert verify_webhook(several, BODY, OTHER) == "r-1"


@pytest.mark.parametrize(
    ("changed", "body", "why"),
    [
        ({}, BODY + b" ", "by none of these secrets"),
        ({"Webhook-Id": "r-2"}, BODY, "by none of these secrets"),
        ({"Webhook-Signature": "v1,"}, BODY, "by none of these secrets"),
        ({"Webhook-Signature": "v1"}, BODY, "by none of these secrets"),
        ({"Webhook-Signature": ""}, BODY, "lacks one of the headers"),
        ({"Webhook-Timestamp": "soon"}, BODY, "lacks one of the headers"),
        ({"Webhook-Timestamp": "9" * 5000}, BODY, "lacks one of the headers"),
        ({"Webhook-Timestamp": "1700000000"}, BODY, "is more than 300 s away"),
        ({"Webhook-Timestamp": "١٢٣"}, BODY, "lacks one of the headers"),
    ],
)
def test_a_webhook_that_was_changed_is_refused(changed: dict[str, str], body: bytes, why: str) -> None:
    """Each part of it is signed."""
    with pytest.raises(ValidationError, match=why):
        verify_webhook({**headers(), **changed}, body, SECRET)


@pytest.mark.parametrize("away", [-301, 302])
def test_an_old_webhook_is_refused(away: int) -> None:
    """Who has listened may not send it again later; the tolerance is the receiver's to choose."""
    given = headers(at=time.time() + away)
    with pytest.raises(ValidationError, match="is more than 300 s away"):
        verify_webhook(given, BODY, SECRET)
    assert verify_webhook(given, BODY, SECRET, tolerance=600) == "r-1"


def test_a_secret_of_somebody_else_is_refused() -> None:
    """As is what cannot be one."""
    with pytest.raises(ValidationError, match="by none of these secrets"):
        verify_webhook(headers(), BODY, OTHER)
    with pytest.raises(DeclarationError, match="24 to 64 random bytes"):
        verify_webhook(headers(), BODY, "whsec_")
