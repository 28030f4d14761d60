"""The same vectors hold here and in the TypeScript of `clients/react`, whose tests read them too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.server.live.merge_patch import apply_patch, as_state, merge_patch
from tests.server.live.tree_client import TreeClient

VECTORS = Path(__file__).parents[3] / "clients" / "react" / "vectors"


def vectors(name: str) -> list[Any]:
    """Return the vectors of a file, each with its name."""
    return [
        pytest.param(one, id=one["name"]) for one in json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("one", vectors("merge_patch"))
def test_patches_are_made_as_clients_apply_them(one: dict[str, Any]) -> None:
    """The patch is the one of the vector, and makes the new state of the old."""
    assert merge_patch(one["old"], one["new"]) == one["patch"]
    assert apply_patch(one["old"], one["patch"]) == one["new"]


@pytest.mark.parametrize("one", vectors("lists"))
def test_lists_are_named_as_clients_list_them(one: dict[str, Any]) -> None:
    """A list of things with names becomes an object with their order, which a client makes a list of again."""
    assert json.dumps(as_state(one["plain"])) == json.dumps(one["state"])


@pytest.mark.parametrize("case", vectors("tellings"))
def test_what_a_client_of_a_tree_holds(case: dict[str, Any]) -> None:
    """After messages in a row; where the last one cannot follow, it asks again."""
    client = TreeClient()
    followed = [client.take_message(message) for message in case["messages"]]
    assert all(followed[:-1])
    if case["held"] is None:
        assert not followed[-1]
        return
    held = {name: getattr(client, name) for name in ("rev", "cursor", "progress", "statuses")}
    held |= {"status": client.workflow["status"], "execution": client.workflow.get("execution", "")}
    assert held == case["held"]
