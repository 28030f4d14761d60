"""`flows mcp`: an agent sees what its caller may see, and no more."""

from __future__ import annotations

import json
import sys

import pytest

from flows.api import operations
from flows.cli.mcp_server import make_mcp, tools
from tests.api.callers import PARAMS, given
from tests.api.conftest import Left
from tests.api.shop import CANARY

LOOKING = sorted(name for name, one in operations().items() if one.role == "viewer" and not one.acts)


async def test_tools_are_the_operations_of_a_viewer(left: Left) -> None:
    """Also for an operator; those that act only where that is asked for, and only as far as the caller may."""
    async with left.admin() as operator:
        assert [one.name for one in tools(operator, act=False).values()] == LOOKING
        assert [one.name for one in tools(operator, act=True).values()] == sorted(PARAMS)
        viewer = operator.acting_as(operator.caller.model_copy(update={"role": "viewer"}))
        assert [one.name for one in tools(viewer, act=True).values()] == LOOKING
        assert tools(operator.acting_as(operator.caller.model_copy(update={"role": "nobody"})), act=True) == {}


async def test_each_tool_answers_without_what_is_hidden(left: Left) -> None:
    """Its answer is an object, its errors say what was wrong, and a hidden field's canary is in none."""
    from mcp import Client  # noqa: PLC0415 - a second, in each lane that imports this file

    async with left.admin(hide=["email"]) as admin, Client(make_mcp(admin)) as client:
        listed = await client.list_tools()
        assert [one.title for one in listed.tools] == LOOKING
        assert all(one.annotations and one.annotations.read_only_hint for one in listed.tools)
        for name in LOOKING:
            found = await client.call_tool(name.replace(".", "_"), given(name, left.ids))
            assert not found.is_error, (name, found.content)
            assert CANARY not in json.dumps(found.structured_content)
        refused = await client.call_tool("jobs_find", {"query": "flow:shop usr:7"})
        assert refused.is_error
        assert "no lookup attribute 'usr'" in json.dumps(refused.structured_content)
        hidden = await client.call_tool("jobs_retry", {"id": left.ids["failed"]})
        assert hidden.is_error


@pytest.mark.timeout(240)
async def test_it_speaks_over_stdin_and_stdout(left: Left) -> None:
    """As an agent's host starts it."""
    from mcp import Client, StdioServerParameters  # noqa: PLC0415 - as above

    command = ["-m", "flows", "mcp", "--redis-url", left.url, "--namespace", left.namespace]
    async with Client(StdioServerParameters(command=sys.executable, args=command)) as client:
        found = await client.call_tool("flows_list", {})
    assert [one["name"] for one in found.structured_content["result"]] == ["other", "shop"]
