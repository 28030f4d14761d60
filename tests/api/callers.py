"""Every operation with params that fit what `shop.py` has left; who declares an operation adds a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Of each operation the params, which may name what was left; `flow` or what implies it is of the flow `shop`.
PARAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "audit.list": {},
    "bulk.apply": {"verb": "retry", "query": "flow:shop state:failed", "seen": 2},
    "bulk.cancel": {"id": "bulk"},
    "bulk.preview": {"verb": "retry", "query": "flow:shop state:failed"},
    "bulk.show": {"id": "bulk"},
    "bulk.wait": {"id": "bulk", "timeout": "10ms"},
    "flows.list": {},
    "flows.overview": {},
    "flows.show": {"flow": "shop"},
    "jobs.cancel": {"id": "waiting"},
    "jobs.children": {"id": "passed"},
    "jobs.count": {"query": "flow:shop user_id:7|8|9"},
    "jobs.create": {"flow": "shop", "params": {"user_id": 1}},
    "jobs.delete": {"id": "waiting"},
    "jobs.ended": {"flow": "shop"},
    "jobs.ended_by_day": {"flow": "shop"},
    "jobs.explain": {"id": "waiting"},
    "jobs.find": {"query": "flow:shop user_id:7|8|9"},
    "jobs.history": {"id": "failed"},
    "jobs.log": {"id": "failed"},
    "jobs.move": {"id": "waiting", "to": "shop-ship"},
    "jobs.position": {"id": "waiting"},
    "jobs.promote": {"id": "delayed"},
    "jobs.retry": {"id": "failed"},
    "jobs.set_priority": {"id": "waiting", "priority": 2},
    "jobs.show": {"id": "passed"},
    "jobs.wait": {"id": "failed"},
    "queues.drain": {"queue": "shop-ship"},
    "queues.groups": {"queue": "shop-ship"},
    "queues.hold": {"queue": "shop-price", "lasting": "1m"},
    "queues.lanes": {"flow": "shop"},
    "queues.limits": {"queue": "shop-ship"},
    "queues.pause": {"queue": "shop-price", "lasting": "1m"},
    "queues.resume": {"queue": "shop-price"},
    "queues.set_concurrency": {"queue": "shop-ship", "most": 1},
    "queues.set_limit": {"queue": "shop-ship", "limiter": "shop-ship:1", "reservoir": 1},
    "queues.set_share": {"queue": "shop-ship", "group": "a", "share": 2},
    "queues.show": {"flow": "shop"},
    "runs.cancel": {"id": "run_asked"},
    "runs.explain": {"id": "run_asked"},
    "runs.fork": {"id": "run_failed"},
    "runs.list": {},
    "runs.move": {"workflow": "print", "to": "2"},
    "runs.provide": {"id": "run_asked", "step": "good", "data": {"good": True}},
    "runs.retry": {"id": "run_failed"},
    "runs.show": {"id": "run_asked"},
    "runs.children": {"id": "run_mapped", "step": "copies"},
    "runs.send": {"id": "run_mapped", "step": "paid", "data": 1},
    "runs.steps": {"id": "run_done"},
    "runs.start": {"workflow": "print", "input": {"title": "new"}},
    "runs.wait": {"id": "run_done"},
    "runs.workflows": {},
    "schedules.backfill": {"id": "weekly", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
    "schedules.create": {"id": "mine", "workflow": "print", "every": "1h"},
    "schedules.day": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
    "schedules.edit": {"id": "weekly", "every": "1h"},
    "schedules.slots": {"id": "weekly", "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
    "schedules.delete": {"id": "weekly"},
    "schedules.list": {},
    "schedules.pause": {"id": "weekly"},
    "schedules.resume": {"id": "weekly"},
    "schedules.trigger": {"id": "weekly"},
    "server.check": {},
    "server.memory": {},
    "server.repair": {},
    "server.show": {},
    "server.slow": {},
    "stats.flow": {"flow": "shop"},
    "stats.latency": {"queue": "shop-price"},
    "stats.series": {"queue": "shop-price"},
    "trees.apps": {},
    "trees.cancel": {"id": "tree_done"},
    "trees.destroy": {"id": "tree_done"},
    "trees.execute": {"id": "tree_done", "path": "#.work.press"},
    "trees.executions": {"id": "tree_done"},
    "trees.list": {},
    "trees.log": {"id": "tree_done", "path": "#.pick"},
    "trees.result": {"id": "tree_done", "path": "#.pick"},
    "trees.show": {"id": "tree_done"},
    "trees.update": {"id": "tree_done", "name": "new"},
    "trees.wait": {"id": "tree_done"},
    "workers.dump": {"process": "nobody", "flow": "shop"},
    "workers.list": {},
    "workers.releases": {"flow": "shop"},
}
#: What takes no flow, and answers of those that the caller may see.
OF_ALL: Final = {
    *("audit.list", "flows.list", "flows.overview", "workers.list"),
    *("server.check", "server.memory", "server.repair", "server.show", "server.slow"),
}


def given(name: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the params of an operation, with the ids of what was left."""
    return {
        key: ids.get(value, value) if key == "id" and isinstance(value, str) else value
        for key, value in PARAMS[name].items()
    }
