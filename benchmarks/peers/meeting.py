"""Where runner, producers and workers meet: the server's address, and two lists in which they leave word."""

from __future__ import annotations

import os

__all__ = ["DONE", "LATENCY", "URL"]

#: The runner sets it. Of a slow server it is the proxy's address.
URL = os.environ.get("COMPARE_URL") or "redis://127.0.0.1:6379/0"
#: A worker tells the runner here that all jobs have ended, and in what time.
DONE = "compare-done"
#: A worker tells the producer here when it began a job.
LATENCY = "compare-latency"
