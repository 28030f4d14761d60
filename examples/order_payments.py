"""A payment server: HTTP in a process of its own, which takes a key once and keeps the books.

`POST /charges` and `POST /refunds` carry the caller's idempotency key: what comes again with a key that was taken gets
the first answer. `GET /report` says what was taken. So it checks who pays, and knows nothing of how they go on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Seconds that a charge takes, as elsewhere.
_TAKES = 0.01
#: Seconds after which an answer that should come has not come.
_PATIENCE = 30.0


class Books:
    """What was charged and refunded. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, str], dict[str, Any]] = {}
        self._charges: defaultdict[str, list[str]] = defaultdict(list)
        self._refunds: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, kind: str, message: dict[str, Any]) -> dict[str, Any]:
        """Take a charge or a refund of an order, once for each key, and return the answer."""
        key, order = message["key"], message["order"]
        with self._lock:
            if (kind, key) not in self._taken:
                of = self._charges if kind == "charges" else self._refunds
                of[order].append(key)
                self._taken[kind, key] = {"id": f"{kind[:2]}_{len(self._taken):06}", "cents": message["cents"]}
            return self._taken[kind, key]

    def report(self) -> dict[str, Any]:
        """Return how many charges and refunds were taken, and which orders were charged twice."""
        with self._lock:
            return {
                "charges": sum(map(len, self._charges.values())),
                "refunds": sum(map(len, self._refunds.values())),
                "refunded": sorted(self._refunds),
                "charged_twice": sum(len(keys) > 1 for keys in self._charges.values()),
            }


class Handler(BaseHTTPRequestHandler):
    """Answers requests of one connection, in a thread of its own."""

    books = Books()
    wbufsize = -1

    def do_GET(self) -> None:
        """Report."""
        self._answer(HTTPStatus.OK, self.books.report())

    def do_POST(self) -> None:
        """Take a charge or a refund."""
        kind = self.path.strip("/")
        if kind not in {"charges", "refunds"}:
            self._answer(HTTPStatus.NOT_FOUND, {})
            return
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(_TAKES)
        self._answer(HTTPStatus.CREATED, self.books.take(kind, message))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of each request."""

    def _answer(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Listens on loopback, on a port that is free. A caller that was killed is no news."""

    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where the caller has gone away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def ask(port: int, path: str, message: dict[str, Any] | None = None) -> dict[str, Any]:
    """Post a message, or get what there is, and return the answer.

    Raises:
        OSError: the server cannot be reached, does not answer, or answers with an error.
    """
    data = None if message is None else json.dumps(message).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, _PATIENCE) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def running() -> Generator[int]:
    """Run a payment server in a process of its own, and yield its port; it ends with the block, or this process."""
    command = [sys.executable, str(Path(__file__))]
    # In a session of its own: Ctrl-C stops the shop, whose last charges are still taken.
    with subprocess.Popen(  # noqa: S603 - this very file
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        port = process.stdout.readline() if process.stdout else ""
        if not port:
            raise OSError(f"the payment server could not start: it ended with status {process.wait()}")
        yield int(port)  # when its stdin is closed, it ends


def main() -> None:
    """Serve until stdin is closed; the first line on stdout is the port."""
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
