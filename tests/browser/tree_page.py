"""The page of the site import with a server of its own: `python -m tests.browser.tree_page URL NAMESPACE PORT ID`.

Who looks is said by a cookie: `who=stranger` has a token of another realm, `who=guest` one that may watch alone,
`who=brief` one that soon ends, `who=nobody` none. `FLOWS_LIVE_KEY` signs them.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from flows.api import Caller
from flows.server import create_app
from tests.browser.tree_app import declare

DIST = Path(__file__).resolve().parents[2] / "examples" / "import_site_page" / "dist"
#: A token is asked for anew 30 s before its end.
BRIEF = timedelta(seconds=32)
_ALL = ("watch", "execute", "results", "logs")


async def nobody(_connection: HTTPConnection) -> Caller | None:
    """Nobody is known but by a token."""
    return None


def page_app(url: str, namespace: str, instance_id: str) -> Starlette:
    """Return the app."""
    trees, _generator = declare(url, namespace)
    tokens: dict[str, dict[str, Any]] = {
        "owner": {"instances": [instance_id], "may": _ALL},
        "guest": {"instances": [instance_id]},
        "stranger": {"realm": "another", "may": _ALL},
        "brief": {"instances": [instance_id], "may": _ALL, "ttl": BRIEF},
    }

    async def page(_request: Request) -> Response:
        return FileResponse(DIST / "index.html")

    async def instance(_request: Request) -> Response:
        return JSONResponse({"workflowId": instance_id})

    async def token(request: Request) -> Response:
        who = request.cookies.get("who", "owner")
        if who not in tokens:
            return PlainTextResponse("log in", 401)
        return PlainTextResponse(trees.watch_token(subject=who, **tokens[who]))

    return Starlette(
        routes=[
            Route("/instance", instance),
            Route("/token", token),
            Route("/", page),
            Mount("/assets", StaticFiles(directory=DIST / "assets")),
            Mount("/", create_app(url, namespace, auth=nobody)),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(page_app(sys.argv[1], sys.argv[2], sys.argv[4]), port=int(sys.argv[3]), log_level="warning")
