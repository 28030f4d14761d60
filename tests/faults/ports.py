"""Ports for servers and proxies that stay theirs while nobody listens."""

from __future__ import annotations

import random
import socket
from typing import Final

#: Below the range from which the kernel takes ports for outgoing connections: there nobody else takes a port while its
#: server is down, and nobody who tries to connect to it is connected to himself.
_RANGE: Final = range(12_000, 32_000)
_random = random.SystemRandom()  # which forks do not share


def free_port() -> int:
    """Find a port of 127.0.0.1 on which nobody listens."""
    while True:
        port = _random.choice(_RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
