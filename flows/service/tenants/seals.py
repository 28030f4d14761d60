"""Seals secrets for the server, and opens them: AES-256-GCM, by keys that only the processes of a service have."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import Any, Final

from flows.errors import DeclarationError, MissingExtra, ValidationError
from flows.service.secret import Secret

#: Keys, each 32 bytes as base64, with commas between them: the first seals, all of them open.
VARIABLE: Final = "FLOWS_SECRET_KEY"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_BEGIN: Final = "sealed:"


class SealedSecret(Secret):
    """A secret as it stands on the server; it is opened whenever it is revealed.

    Args:
        sealed: What `seal` has returned.
        about: What it was sealed with: elsewhere it cannot be opened.
    """

    __slots__ = ("_about",)

    def __init__(self, sealed: str, about: bytes) -> None:
        super().__init__(sealed)
        self._about = about

    @property
    def kept(self) -> str:
        """What stands on the server."""
        return self._value

    def reveal(self) -> str:
        """Return the text itself.

        Raises:
            DeclarationError: no key of this process opens it.
            MissingExtra: cryptography is not installed.
        """
        return unseal(self._value, self._about)


def is_sealed(text: str) -> bool:
    """Return whether a text is a sealed secret."""
    return text.startswith(_BEGIN)


def seal(text: str, about: bytes) -> str:
    """Return a secret that is sealed by the first key.

    Args:
        text: The secret.
        about: Whose it is; with anything else it cannot be opened.

    Raises:
        ValidationError: there is no key.
        DeclarationError: a key is none.
        MissingExtra: cryptography is not installed.
    """
    keys = _keys()
    if not keys:
        raise ValidationError(
            f"a token is kept on the server only where it is sealed: set {VARIABLE}, or give where it stands, "
            "Secret('env:NAME') or Secret('file:PATH')"
        )
    name, key = next(iter(keys.items()))
    nonce = os.urandom(_NONCE_BYTES)
    data = nonce + _cipher(key).encrypt(nonce, text.encode(), about)
    return f"{_BEGIN}{name}:{base64.b64encode(data).decode()}"


def unseal(sealed: str, about: bytes) -> str:
    """Return the secret that `seal` has sealed.

    Raises:
        DeclarationError: no key opens it; the message has no part of a secret.
        MissingExtra: cryptography is not installed.
    """
    name, _colon, data = sealed.removeprefix(_BEGIN).partition(":")
    key = _keys().get(name)
    if key is None:
        raise DeclarationError(f"no key of {VARIABLE} opens a token: it was sealed by the one called {name:.16}")
    cipher, otherwise = _cipher(key), "a sealed token cannot be opened: it was changed, or belongs to another tenant"
    try:
        raw = base64.b64decode(data, validate=True)
        opened: bytes = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about)
        return opened.decode()
    except Exception:  # noqa: BLE001 - whatever it is, it may tell of the secret
        raise DeclarationError(otherwise) from None


def _keys() -> dict[str, bytes]:
    """Return the keys by their names, of which they cannot be guessed."""
    keys: dict[str, bytes] = {}
    texts = [text.strip() for text in os.environ.get(VARIABLE, "").split(",")]
    for number, text in enumerate(filter(None, texts), 1):
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY_BYTES:
            raise DeclarationError(f"{VARIABLE}: key {number} is no {_KEY_BYTES} bytes: openssl rand -base64 32")
        keys[hashlib.sha256(b"flows key " + key).hexdigest()[:8]] = key
    return keys


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("a sealed token", "secrets") from None
    return AESGCM(key)
