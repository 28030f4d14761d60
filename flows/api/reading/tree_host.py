"""Finds the task trees that a caller may see: so far those of apps whose code is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flows.model.names import check_job_id
from flows.model.runs.new_run import RUN_FLOW
from flows.model.tree.errors import InstanceGone
from flows.tree.instance import Instance
from flows.tree.storage.protocol import NO_TASKS

if TYPE_CHECKING:
    from flows.api.admin import Admin
    from flows.tree.host import Host
    from flows.tree.storage.protocol import InstanceRow


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
        return Instance(self.host, self.host.recipe(self.row.generator), self.row.id)


async def find_tree(admin: Admin, instance_id: str) -> FoundTree:
    """Return an instance that the caller may see.

    Raises:
        ValidationError: this is no id.
        InstanceGone: there is none of this id that the caller may see.
    """
    instance_id = check_job_id(instance_id)
    only = admin.caller.flows
    for app, host in admin.link.trees.items():
        if only is None or RUN_FLOW in only or f"{RUN_FLOW}:tree.{app}" in only:
            snapshot = await host.storage.load(instance_id, since=NO_TASKS)
            if snapshot is not None and snapshot.row.app == app:
                return FoundTree(host, snapshot.row)
    raise InstanceGone(instance_id)
