"""A provider of mail with limits: an HTTP server in a process of its own, which counts by its own clock.

It takes `POST /messages`, and rejects with 429 what would be too much in the interval that ends now: of one tenant,
and of all. `GET /report` says what came. So it checks who sends, and knows nothing of how they limit themselves.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from campaign_terms import Rate, read_rate


class Window:
    """Counts what came in the last interval, exactly."""

    def __init__(self, rate: Rate) -> None:
        self._most = rate.most
        self._interval_ns = rate.interval_ms * 1_000_000
        self._times: deque[int] = deque()
        #: How many came in the fullest interval, wherever it began.
        self.fullest = 0

    def count(self, now_ns: int) -> int:
        """Count one more, and return for how many nanoseconds none should have come; 0: it is within the limit."""
        while self._times and self._times[0] <= now_ns - self._interval_ns:
            self._times.popleft()
        self._times.append(now_ns)
        self.fullest = max(self.fullest, len(self._times))
        over = len(self._times) - self._most
        return self._times[over - 1] + self._interval_ns - now_ns if over > 0 else 0


class Desk:
    """Takes messages or rejects them, and keeps the books. Its method may be called from any thread."""

    def __init__(self, per_tenant: Rate, overall: Rate) -> None:
        self._lock = threading.Lock()
        self._overall = Window(overall)
        self._tenants: defaultdict[str, Window] = defaultdict(lambda: Window(per_tenant))
        self._taken: dict[str, str] = {}
        self._said: Counter[str] = Counter()

    def take(self, message: dict[str, str]) -> dict[str, Any] | None:
        """Take a message, or return which limit it is over, and for how long. One that is repeated is taken once."""
        with self._lock:
            now_ns = time.monotonic_ns()
            waits = {"tenant": self._tenants[message["tenant"]].count(now_ns), "overall": self._overall.count(now_ns)}
            limit = max(waits, key=lambda name: waits[name])
            if waits[limit]:
                self._said[f"over {limit}"] += 1
                return {"limit": limit, "retry_after_ms": waits[limit] // 1_000_000 + 1}
            self._taken[message["key"]] = message["tenant"]
            return None

    def report(self) -> dict[str, int]:
        """Return what came, as far as it counts for a campaign."""
        with self._lock:
            return {
                "sent": len(self._taken),
                "tenants": len(set(self._taken.values())),
                "max_per_tenant_window": max((window.fullest for window in self._tenants.values()), default=0),
                "max_overall_window": self._overall.fullest,
                "rejected_by_provider": self._said.total(),
            }


class Handler(BaseHTTPRequestHandler):
    """Answers requests of one connection, in a thread of its own."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one write: a small second one would wait until the first is acknowledged
    desk: Desk

    def do_GET(self) -> None:
        """Report."""
        self._answer(HTTPStatus.OK, self.desk.report())

    def do_POST(self) -> None:
        """Take a message."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rejection = self.desk.take(message)
        self._answer(HTTPStatus.TOO_MANY_REQUESTS if rejection else HTTPStatus.ACCEPTED, rejection or {})

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
    """Listens on loopback, on a port that is free; as many may connect at once as a campaign has workers."""

    request_queue_size = 256
    daemon_threads = True


@contextmanager
def running(per_tenant: Rate, overall: Rate) -> Generator[int]:
    """Run a provider in a process of its own, and yield its port. It ends with the block, or with this process."""
    command = [sys.executable, str(Path(__file__)), str(per_tenant), str(overall)]
    # In a session of its own: Ctrl-C stops the campaign, whose last mails are still taken.
    with subprocess.Popen(  # noqa: S603 - this very file
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        port = process.stdout.readline() if process.stdout else ""
        if not port:
            raise OSError(f"the provider could not start: it ended with status {process.wait()}")
        yield int(port)  # when its stdin is closed, it ends


def main() -> None:
    """Serve until stdin is closed; the first line on stdout is the port."""
    parser = argparse.ArgumentParser(prog="campaign_provider", description="Takes mail, within limits.")
    parser.add_argument("per_tenant", type=read_rate)
    parser.add_argument("overall", type=read_rate)
    asked = parser.parse_args()
    Handler.desk = Desk(asked.per_tenant, asked.overall)
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
