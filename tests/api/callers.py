"""Every operation with params that fit what `shop.py` has left; who declares an operation adds a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Of each operation the params, which may name what was left; `flow` or what implies it is of the flow `shop`.
PARAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "flows.list": {},
    "flows.show": {"flow": "shop"},
    "jobs.explain": {"id": "waiting"},
    "jobs.find": {"query": "flow:shop user_id:7|8|9"},
    "jobs.retry": {"id": "failed"},
    "jobs.show": {"id": "passed"},
    "queues.show": {"flow": "shop"},
}
#: What takes no flow, and answers of those that the caller may see.
OF_ALL: Final = {"flows.list"}


def given(name: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the params of an operation, with the ids of what was left."""
    return {
        key: ids.get(value, value) if key == "id" and isinstance(value, str) else value
        for key, value in PARAMS[name].items()
    }
