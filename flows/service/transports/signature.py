"""Signs webhooks and checks their signatures, by the rules of Standard Webhooks (standardwebhooks.com)."""

from __future__ import annotations

import binascii
import hmac
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError, ValidationError
from flows.service.secret import Secret, as_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1"
#: What the standard allows, in bytes.
_SHORTEST, _LONGEST = 24, 64
_ID: Final = "webhook-id"
_TIMESTAMP: Final = "webhook-timestamp"
_SIGNATURE: Final = "webhook-signature"
#: So many signatures of one call are looked at.
_MOST: Final = 20
#: Seconds since 1970 have no more digits for a while.
_DIGITS: Final = 12


def signing_keys(secrets: Iterable[Secret]) -> list[bytes]:
    """Return the keys that secrets stand for.

    Raises:
        DeclarationError: one cannot be read, or is none of `whsec_` and the base64 of 24 to 64 bytes.
    """
    return [_key(secret) for secret in secrets]


def signed_headers(message_id: str, body: Iterable[bytes], keys: Sequence[bytes], now: int) -> dict[str, str]:
    """Return the three headers of a webhook; one signature for each key, so that secrets can be changed in turn.

    Args:
        message_id: The same for each try.
        body: The body in parts, read once.
        keys: Of each current secret one.
        now: Seconds since 1970.
    """
    codes = [hmac.new(key, f"{message_id}.{now}.".encode(), sha256) for key in keys]
    for part in body:
        for code in codes:
            code.update(part)
    signatures = " ".join(f"{_VERSION},{b64encode(code.digest()).decode()}" for code in codes)
    return {_ID: message_id, _TIMESTAMP: str(now), _SIGNATURE: signatures}


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Secret | str | Sequence[Secret | str],
    *,
    tolerance: float = 300.0,
) -> str:
    """Return the id of a webhook that was received, if one of our secrets has signed it.

    The id is the same each time when a webhook is sent again: who keeps ids handles each of them once.

    Args:
        headers: The headers of the request; the case of their names does not matter.
        body: Its body, byte by byte as it came: not parsed and written again.
        secrets: The secret, or several while one takes over from another: texts, `env:NAME` or `file:PATH`.
        tolerance: How old or how new it may be by this machine's clock, in seconds.

    Raises:
        ValidationError: it is not signed with these secrets, lacks a header, or is too old or too new.
        DeclarationError: a secret cannot be read, or is none.
    """
    given = [secrets] if isinstance(secrets, (str, Secret)) else secrets
    keys = signing_keys(map(as_secret, given))
    found = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (found.get(name, "") for name in (_ID, _TIMESTAMP, _SIGNATURE))
    is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _DIGITS
    if not message_id or not signatures or not is_number:
        raise ValidationError(f"no webhook: it lacks one of the headers {_ID}, {_TIMESTAMP} and {_SIGNATURE}")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise ValidationError(f"the webhook's timestamp is more than {tolerance:g} s away from this machine's clock")
    right = signed_headers(message_id, [body], keys, int(timestamp))[_SIGNATURE].encode().split()
    told = signatures.encode("utf-8", "replace").split()[:_MOST]
    if not any(hmac.compare_digest(one, other) for one in right for other in told):
        raise ValidationError("the webhook's signature is by none of these secrets")
    return message_id


def _key(secret: Secret) -> bytes:
    text = secret.reveal().removeprefix(_PREFIX)
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise DeclarationError(
            f"a webhook's secret is {_PREFIX!r} and the base64 of {_SHORTEST} to {_LONGEST} random bytes: make one by "
            "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
        )
    return key
