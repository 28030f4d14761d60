"""Names every key of task trees, one method each: instances, their outbox, and the index that finds them."""

from __future__ import annotations

from dataclasses import dataclass

from flows.model.values.lookup import lookup_text


@dataclass(frozen=True, slots=True)
class TreeKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def tree(self, instance_id: str) -> str:
        """Hash: the instance: what its row shows, its data, its tree, and its last execution."""
        return f"{self.namespace}flows:tree:{instance_id}"

    def tasks(self, instance_id: str) -> str:
        """Hash: path → the record of the task, JSON."""
        return f"{self.namespace}flows:treetasks:{instance_id}"

    def results(self, instance_id: str) -> str:
        """Hash: path → the result of the task, JSON; apart, so that a state is read without them."""
        return f"{self.namespace}flows:treeresults:{instance_id}"

    def log(self, instance_id: str) -> str:
        """Hash: `<path>` → the number of its last line, and `<path> <number>` → the line, a JSON object."""
        return f"{self.namespace}flows:treelog:{instance_id}"

    def holder(self, app: str, key: str) -> str:
        """String: the instance of an app that was created with this idempotency key."""
        return f"{self.namespace}flows:treekey:{holder_name(app, key)}"

    def outbox(self, app: str) -> str:
        """Sorted set: instance → from when on the index is to be told of it, in server milliseconds."""
        return f"{self.namespace}flows:treedirty:{app}"

    def apps(self) -> str:
        """Hash: app → when its first instance was created, in server milliseconds."""
        return f"{self.namespace}flows:treeapps"

    def rows(self) -> str:
        """Hash: instance → its row as the index knows it."""
        return f"{self.namespace}flows:treerows"

    def indexed(self, app: str) -> str:
        """Sorted set: the instances of an app, all with the score 0: by their ids they are in order of time."""
        return f"{self.namespace}flows:trees:{app}"

    def indexed_realm(self, app: str, realm: str) -> str:
        """Sorted set: the same of those of one realm."""
        return f"{self.namespace}flows:trees:{app}:{realm_text(realm)}"

    def working(self, app: str) -> str:
        """Sorted set: the same of those that are worked on."""
        return f"{self.namespace}flows:treesworking:{app}"

    def changed(self, instance_id: str) -> str:
        """Sharded channel: the records that one script has written, or nothing where something else has changed."""
        return f"{self.namespace}flows:treechanged:{instance_id}"


def holder_name(app: str, key: str) -> str:
    """Return an idempotency key as it stands in Redis; a long one, or one with control characters, as a digest."""
    return f"{app}:{lookup_text(key)}"


def realm_text(realm: str) -> str:
    """Return a realm as it stands in a key; an empty one as nothing."""
    return "" if not realm else lookup_text(realm) or ""
