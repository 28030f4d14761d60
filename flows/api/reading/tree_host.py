"""Finds the task trees that a caller may see: in apps whose code is here, and in those that the server knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.api.reading.run_host import run_host
from flows.errors import NothingThere
from flows.model.names import check_instance_id
from flows.model.runs.new_run import RUN_FLOW
from flows.model.tree.errors import InstanceGone
from flows.tree.codeless import codeless_host
from flows.tree.index.redis import RedisIndex
from flows.tree.instance import Instance
from flows.tree.storage.protocol import NO_TASKS
from flows.tree.storage.redis import RedisStorage

if TYPE_CHECKING:
    from flows.api.admin import Admin
    from flows.tree.host import Host
    from flows.tree.storage.protocol import InstanceRow

#: Runs of the workflow of this name, with an app's behind it, are executions of its trees.
WORKFLOW: Final = "tree."
_APP: Final = f"{RUN_FLOW}:"


class FoundTree(NamedTuple):
    """An instance that the caller may see.

    Attributes:
        host: The app.
        row: What lists show of it.
    """

    host: Host
    row: InstanceRow

    @property
    def instance(self) -> Instance[Any]:
        """The instance, to look at and to act on."""
        return Instance(self.host, self.host.recipes.get(self.row.generator), self.row.id)


async def tree_hosts(admin: Admin, app: str = "") -> dict[str, Host]:
    """Return the apps of task trees that the caller may see, by name: those whose code is here, and of this server.

    Args:
        admin: Who asks, and where.
        app: Only this one.

    Raises:
        Forbidden: it may see no runs at all, and so no executions.
        NothingThere: there is no such app among those that it may see.
        StoreError: the server cannot be used.
    """
    runs, namespace = await run_host(admin), admin.keys.namespace
    storage = RedisStorage.over(admin.connection, namespace, admin.link.signals)
    index = RedisIndex.over(admin.connection, namespace)
    names = [*admin.link.trees, *await storage.apps()]
    seen = [name for name in dict.fromkeys(names) if _sees(admin, name)]
    if app and app not in seen:
        known = ", ".join(seen) or "none yet"
        raise NothingThere(f"there is no app of task trees {app!r:.80}: there is {known}")
    return {
        name: admin.link.trees.get(name) or codeless_host(name, runs, storage, index)
        for name in seen
        if app in {"", name}
    }


async def count_trees(admin: Admin) -> int:
    """Return how many instances there are that the caller may see, by the index of this server alone.

    Raises:
        Forbidden: it may see no runs at all.
        StoreError: the server cannot be used.
    """
    index = RedisIndex.over(admin.connection, admin.keys.namespace)
    return await index.count(list(await tree_hosts(admin)))


async def find_tree(admin: Admin, instance_id: str, app: str = "") -> FoundTree:
    """Return an instance that the caller may see.

    Args:
        admin: Who asks, and where.
        instance_id: Its id.
        app: Its app; it is looked for in all where this is left out.

    Raises:
        ValidationError: this is no id.
        Forbidden: the caller may see no runs at all.
        NothingThere: there is no such app.
        InstanceGone: there is none of this id that the caller may see.
        StoreError: the server cannot be used.
    """
    instance_id = check_instance_id(instance_id)
    hosts = list((await tree_hosts(admin, app)).values())
    found = await asyncio.gather(*(host.storage.load(instance_id, since=NO_TASKS) for host in hosts))
    for host, snapshot in zip(hosts, found, strict=True):
        if snapshot is not None and snapshot.row.app == host.app:
            return FoundTree(host, snapshot.row)
    raise InstanceGone(instance_id)


def _sees(admin: Admin, app: str) -> bool:
    only = admin.caller.flows
    return only is None or RUN_FLOW in only or f"{_APP}{WORKFLOW}{app}" in only
