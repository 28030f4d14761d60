"""Accounts on the server of a test, each with the password `pw`."""

from __future__ import annotations


def as_user(url: str, user: str) -> str:
    """Return the URL of a server, for an account; the URL has none yet."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{user}:pw@{rest}"
