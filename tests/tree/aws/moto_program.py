"""Serves DynamoDB and SQS by moto, on the port that is given. It imports nothing of flows.

Moto's DynamoDB is not made for threads: two calls at once both find that a condition holds. So here one call is done
at a time, but for those of SQS, which wait for messages.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

_lock = threading.Lock()
_app = DomainDispatcherApplication(create_backend_app)


def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one call."""
    if environ.get("HTTP_X_AMZ_TARGET", "").startswith("AmazonSQS"):
        return _app(environ, start)
    with _lock:
        return list(_app(environ, start))


WSGIRequestHandler.protocol_version = "HTTP/1.1"  # connections stay open
run_simple("127.0.0.1", int(sys.argv[1]), serve, threaded=True)
