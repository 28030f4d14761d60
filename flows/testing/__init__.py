"""Private servers, for the tests of flows and of programs that use flows."""

from __future__ import annotations

from flows.testing.server import private_server

__all__ = ["private_server"]
