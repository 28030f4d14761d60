"""What tests of flows, and of programs that use it, stand on."""

from __future__ import annotations

from flows.testing.server import private_server

__all__ = ["private_server"]
