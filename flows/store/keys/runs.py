"""Names every key of runs that jobs do not have, one method each: children of steps, events and who waits for them."""

from __future__ import annotations

from dataclasses import dataclass

from flows.model.values.lookup import lookup_text


def event_name(event: str, key: str) -> str:
    """Return an event and its key as they stand in Redis; a long key, or one with control characters, as a digest."""
    return f"{event}:{lookup_text(key) or ''}"


@dataclass(frozen=True, slots=True)
class RunKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def children(self, run_id: str, step: str) -> str:
        """Hash: `total`, `left`, `out`, `built`, and for each index the child's id, then how it has ended."""
        return f"{self.namespace}job:run:{run_id}:children:{step}"

    def next(self, run_id: str, step: str) -> str:
        """List: ids of children that the limit of a step keeps back; once nobody waits for them, of another name."""
        return f"{self.namespace}flows:next:{run_id}:{step}"

    def event(self, event: str, key: str) -> str:
        """Stream: the newest 1,000 events of this name and key."""
        return f"{self.namespace}flows:event:{event}:{key}"

    def waiters(self, event: str, key: str) -> str:
        """Hash: `<run id> <step>` → from where on it looks in the stream."""
        return f"{self.namespace}flows:waiters:{event}:{key}"

    def sent(self, event: str, key: str, event_id: str) -> str:
        """String: the stream's entry of an event that was sent with this id."""
        return f"{self.namespace}flows:sent:{event}:{key}:{event_id}"

    def forking(self, run_id: str) -> str:
        """Hash: what is written of a run that is forked from another one, until it is started."""
        return f"{self.namespace}flows:forking:{run_id}"

    def kept(self, queue: str) -> str:
        """Zset: runs of this queue that keep their slot while they wait → 0, or since when they may go on."""
        return f"{self.namespace}flows:kept:{queue}"

    def sending(self, flow: str) -> str:
        """Hash: `<event>:<key>` of events that were not told to all who wait for them."""
        return f"{self.namespace}flows:sending:{flow}"
