"""Tokens that stand on the server: sealed, for one tenant alone, by keys that change."""

# ruff: noqa: S105, S106 - these tokens open nothing

from __future__ import annotations

import base64
import builtins
import copy
import json
import os
import pickle
from typing import Any

import pytest

from flows import DeclarationError, MissingExtra, ValidationError
from flows.service import Secret, Tenant
from flows.service.tenants.seals import VARIABLE, SealedSecret, seal, unseal
from flows.service.tenants.tenant import read, written

TOKEN = "canary-4711"


def new_key() -> str:
    """Return a key."""
    return base64.b64encode(os.urandom(32)).decode()


def test_what_is_sealed_opens_for_its_tenant_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seal is another text; what was changed or moved does not open, and no message has the token."""
    monkeypatch.setenv(VARIABLE, new_key())
    sealed, again = seal(TOKEN, b"mailer/acme"), seal(TOKEN, b"mailer/acme")
    assert sealed != again
    assert TOKEN not in sealed
    assert unseal(sealed, b"mailer/acme") == unseal(again, b"mailer/acme") == TOKEN
    broken = sealed[:-4] + ("AAA=" if sealed[-4:] != "AAA=" else "BBB=")
    for other, about in ((sealed, b"mailer/other"), (broken, b"mailer/acme"), (sealed + "!", b"mailer/acme")):
        with pytest.raises(DeclarationError, match="cannot be opened") as raised:
            unseal(other, about)
        assert raised.value.__cause__ is None
        assert TOKEN not in str(raised.value)


def test_keys_rotate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first key seals, and each of them opens; with its key gone, a token is gone."""
    old, new = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, old)
    sealed = seal(TOKEN, b"")
    monkeypatch.setenv(VARIABLE, f"{new}, {old},")
    assert unseal(sealed, b"") == TOKEN
    by_new = seal(TOKEN, b"")
    monkeypatch.setenv(VARIABLE, new)
    assert unseal(by_new, b"") == TOKEN
    with pytest.raises(DeclarationError, match="no key of FLOWS_SECRET_KEY opens a token"):
        unseal(sealed, b"")


@pytest.mark.parametrize("keys", ["short", "c2hvcnQ=", f"{'A' * 43}=,no key"])
def test_a_key_that_is_none_is_told_by_its_place(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """A slip in the variable is told without any of it."""
    monkeypatch.setenv(VARIABLE, keys)
    with pytest.raises(DeclarationError, match=rf"{VARIABLE}: key \d is no 32 bytes") as raised:
        seal(TOKEN, b"")
    assert keys.partition(",")[0] not in str(raised.value)


def test_a_token_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain tokens never stand on the server: the error says what to do."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ValidationError, match=f"set {VARIABLE}, or give where it stands"):
        written("mailer", Tenant("acme", token=TOKEN))


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cryptography, references still work, and a token says what to install."""
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setenv(VARIABLE, new_key())
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match="secrets"):
        written("mailer", Tenant("acme", token=TOKEN))
    assert json.loads(written("mailer", Tenant("acme", token="env:ACME")))["token"] == "env:ACME"


def test_a_tenant_comes_back_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its token sealed, and written again without opening it; of another service it does not open."""
    monkeypatch.setenv(VARIABLE, new_key())
    tenant = Tenant("acme", "acme.example", TOKEN, max_concurrency=3, weight=2.5, paused=True, log_levels=["trace"])
    record = written("mailer", tenant)
    assert TOKEN not in record
    found = read("mailer", "acme", 7, record.encode())
    assert found is not None
    assert isinstance(found.token, SealedSecret)
    assert (found.token.reveal(), found.domain, found.max_concurrency, found.weight) == (TOKEN, "acme.example", 3, 2.5)
    assert (found.paused, found.log_levels, found.revision) == (True, ["trace"], 7)
    assert written("mailer", found) == record
    moved = read("billing", "acme", 7, record.encode())
    assert moved is not None
    with pytest.raises(DeclarationError):
        moved.token.reveal()
    assert read("mailer", "acme", 7, b"{}") is read("mailer", "acme", 7, b"no json") is None


def test_a_token_is_shown_nowhere() -> None:
    """Not by `repr` of the tenant, nor by formatting, and it is not pickled."""
    tenant = Tenant("acme", token=TOKEN)
    for text in (repr(tenant), str(tenant), f"{tenant.token}", repr(tenant.token), str(Tenant("a"))):
        assert TOKEN not in text
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            copied(tenant)
    assert not Tenant("acme").token
    with pytest.raises(DeclarationError, match="the tenant has no token"):
        Tenant("acme").token.reveal()
    assert Tenant("acme", token=Secret("env:X")) == Tenant("acme", token="env:X")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"id": "a b"}, "tenant 'a b'"),
        ({"id": ""}, "tenant ''"),
        ({"domain": 5}, "domain=5: give a text"),
        ({"max_concurrency": 0}, "max_concurrency=0: give 1 to"),
        ({"max_concurrency": True}, "max_concurrency=True"),
        ({"weight": 0}, "weight=0: give a number"),
        ({"weight": 1e9}, "weight=1000000000.0"),
        ({"paused": "no"}, "paused='no': give True or False"),
        ({"log_levels": ["loud"]}, "there is no level 'loud'"),
    ],
)
def test_what_no_tenant_can_be_is_refused(given: dict[str, Any], says: str) -> None:
    """Each mistake is a ValidationError that says which value it is."""
    with pytest.raises(ValidationError, match=says):
        Tenant(**{"id": "acme", **given})
