"""What docs/deployment.md has others ask: an autoscaler reads a number where the page says."""

from __future__ import annotations

import re
from pathlib import Path

from flows.server import Tokens, create_app
from tests.api.conftest import Left
from tests.server.conftest import Callers
from tests.server.serving import serving

_PAGE = (Path(__file__).parents[2] / "docs/deployment.md").read_text("utf-8")


def said(pattern: str) -> str:
    """Return what stands on the page where a pattern has its group."""
    found = re.search(pattern, _PAGE)
    assert found is not None
    return found[1]


async def test_an_autoscaler_finds_its_number(left: Left, callers: Callers) -> None:
    """KEDA sends a viewer's token, calls the service by its name in the cluster, and takes a member of the answer."""
    host, path = said(r"url: http://([^/]+)/"), said(r"url: http://[^/]+(/scale\?queue=)") + "shop-ship"
    names = re.findall(r"--name, ([\w.-]+)", _PAGE)
    assert host.partition(":")[0] in names
    app = create_app(left.url, left.namespace, auth=Tokens(callers.text), hosts=names)
    async with serving(app) as server, server.client(callers.tokens["vera"], host=host) as client:
        answer = (await client.get(path)).json()
        assert isinstance(answer[said(r"valueLocation: (\w+)")], int)
        described = set(re.findall(r"`(\w+)`", said(r"(`backlog` is what waits[^.]+)")))
        assert described <= set(answer)
        probe = said(r"readinessProbe:\s+httpGet: \{path: (/\w+)")
        assert (await client.get(probe, headers={"host": said(r"name: Host, value: ([\w.]+)")})).status_code == 200
