"""moto's server as a process of its own: DynamoDB and SQS on this machine, from PyPI."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.waiting import blocking_until


@contextmanager
def moto_server() -> Iterator[str]:
    """Start a server, and return its URL; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("moto_program.py")), str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})

    def answers() -> bool:
        with suppress(URLError, OSError):
            urlopen(f"{url}/moto-api/", timeout=5).close()  # noqa: S310 - our own
            return True
        if process.poll() is not None:
            raise RuntimeError(f"moto's server has ended with {process.returncode}")
        return False

    try:
        blocking_until(answers)
        yield url
    finally:
        process.kill()
        process.wait()
