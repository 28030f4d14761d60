"""Shows an import live: a page, its token, and beside them the server of flows, whose socket the page watches by."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from flows.api import Caller
from flows.server import create_app
from import_terms import Settings
from import_tree import declare

#: The page as it was built; its sources stand beside it.
PAGE = Path(__file__).with_name("import_site_page") / "dist"


def make_app(settings: Settings, instance_id: str) -> Starlette:
    """Return the app: it runs in a process of its own, since only here the extra `web` is needed."""
    trees, _generator = declare(settings)
    live = create_app(settings.redis_url, settings.namespace, auth=nobody)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        yield
        await live.close()  # an app that is mounted has no lifespan of its own

    async def page(_request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def instance(_request: Request) -> Response:
        return JSONResponse({"workflowId": instance_id})

    async def token(_request: Request) -> Response:
        # Everyone on this machine may; yours asks first who it is.
        may = trees.watch_token(instances=[instance_id], subject="visitor", may=["watch", "execute", "results", "logs"])
        return PlainTextResponse(may)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/instance", instance),
            Route("/token", token),
            Mount("/assets", StaticFiles(directory=PAGE / "assets")),
            Mount("/", live),
        ],
        lifespan=lifespan,
    )


def nobody(_connection: HTTPConnection) -> Caller | None:
    """Say who calls: nobody who has no token of the page."""
    return None


def main() -> int:
    """Serve until SIGINT; the arguments are the settings, the instance and the port."""
    settings, instance_id, port = Settings.model_validate_json(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    print(f"import: http://127.0.0.1:{port}/ shows it, until Ctrl-C", file=sys.stderr)
    uvicorn.run(make_app(settings, instance_id), host="127.0.0.1", port=port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
