"""A token of a watcher says what it names, is good for the keys that there are, and for nobody else's."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import jwt
import pytest

from flows.errors import DeclarationError
from flows.model.live.watch_token import WatchClaims, check_keys, read_watch_token, sign_watch_token

OLD, NEW = "o" * 32, "n" * 32
CLAIMS = WatchClaims("ana", frozenset({"1", "2"}), "acme", frozenset({"watch", "execute"}), frozenset({"email"}))
MINUTE = timedelta(minutes=1)


def test_what_is_signed_is_read() -> None:
    """All of it, with the end."""
    found = read_watch_token(sign_watch_token(NEW, CLAIMS, MINUTE), NEW)
    assert found is not None
    assert found.ends_at > 0
    assert WatchClaims(found.subject, found.what, found.realm, found.may, found.hide) == CLAIMS


def test_a_key_takes_the_place_of_another() -> None:
    """While both are known both are good, and the first signs; when the old one has gone, its tokens have too."""
    by_old, by_both = (sign_watch_token(keys, CLAIMS, MINUTE) for keys in (OLD, f"{NEW} {OLD}"))
    for keys, old_is_good, new_is_good in ((OLD, True, False), (f"{NEW} {OLD}", True, True), (NEW, False, True)):
        assert (read_watch_token(by_old, keys) is not None) is old_is_good
        assert (read_watch_token(by_both, keys) is not None) is new_is_good


@pytest.mark.parametrize(
    "changed",
    [{"alg": "none"}, {"alg": "HS512"}, {"kid": "x"}],
    ids=["without a signature", "another algorithm", "another key"],
)
def test_a_header_that_was_changed_makes_it_void(changed: dict[str, str]) -> None:
    """The algorithm is ours to say, not the token's."""
    head, body, signature = sign_watch_token(NEW, CLAIMS, MINUTE).split(".")
    header = {**json.loads(urlsafe_b64decode(head + "==")), **changed}
    other = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert read_watch_token(f"{other}.{body}.{signature}", NEW) is None
    assert read_watch_token(f"{other}.{body}.", NEW) is None


def test_what_is_no_token_of_a_watcher_is_none() -> None:
    """One of the same key for another audience, one that has ended, and what is none at all."""
    head = jwt.get_unverified_header(sign_watch_token(NEW, CLAIMS, MINUTE))
    said = {"sub": "ana", "aud": "flows-live", "exp": 9e9, "w": []}
    assert read_watch_token(jwt.encode(said, NEW, headers=head), NEW) is not None
    for other in ({"aud": "others"}, {"exp": 1}, {"w": 1}, {"exp": None}):
        assert read_watch_token(jwt.encode({**said, **other}, NEW, headers=head), NEW) is None
    for text in ("", "x", "a.b.c", "é.é.é"):
        assert read_watch_token(text, NEW) is None


def test_rights_that_this_release_does_not_know_are_left_out() -> None:
    """A newer release may sign others."""
    head = jwt.get_unverified_header(sign_watch_token(NEW, CLAIMS, MINUTE))
    said = {"sub": "ana", "aud": "flows-live", "exp": 9e9, "w": [], "may": ["watch", "fly"]}
    found = read_watch_token(jwt.encode(said, NEW, headers=head), NEW)
    assert found is not None
    assert found.may == {"watch"}


def test_what_cannot_be_signed_is_refused() -> None:
    """A short key, among two as well; a time over 15 minutes; a right that there is not."""
    for keys in ("", " ", "short", f"{NEW} short"):
        with pytest.raises(DeclarationError, match="32 characters"):
            check_keys(keys)
    for lasts in (timedelta(0), timedelta(minutes=16)):
        with pytest.raises(DeclarationError, match="lasts"):
            sign_watch_token(NEW, CLAIMS, lasts)
    with pytest.raises(DeclarationError, match="fly"):
        sign_watch_token(NEW, WatchClaims("ana", frozenset(), may=frozenset({"fly"})), MINUTE)  # type: ignore[arg-type]
