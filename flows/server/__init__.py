"""Serves the operations over HTTP, and what happens over WebSocket: `create_app` returns an ASGI app."""

from flows.server.app import create_app
from flows.server.tokens import Tokens
from flows.server.watch_token import watch_token

__all__ = ["Tokens", "create_app", "watch_token"]
