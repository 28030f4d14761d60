"""Names every key of jobs, one method each; `docs/key_names.md` is the same list in prose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def job(self, flow: str, job_id: str) -> str:
        """Hash: the job."""
        return f"{self.namespace}job:{flow}:{job_id}"

    def lookup(self, flow: str, attribute: str, text: str) -> str:
        """List: ids of the jobs whose attribute has this value, oldest first."""
        return f"{self.namespace}job:{flow}:{attribute}:{text}"

    def settled(self, flow: str, job_id: str, queue: str) -> str:
        """Hash: child id → how it settled and its result."""
        return f"{self.namespace}job:{flow}:{job_id}:children:{queue}"

    def waiting(self, queue: str, priority: int = 1) -> str:
        """List: ids that wait, the next one first."""
        tail = "" if priority == 1 else f":{priority}"
        return f"{self.namespace}queue:{queue}:waiting{tail}"

    def processing(self, queue: str) -> str:
        """Sorted set: id → end of its lease, in server milliseconds."""
        return f"{self.namespace}queue:{queue}:processing"

    def delayed(self, queue: str) -> str:
        """Sorted set: id → when it is due, in server milliseconds."""
        return f"{self.namespace}queue:{queue}:delayed"

    def children(self, queue: str) -> str:
        """Sorted set: parents that wait for their children → since when, in server milliseconds."""
        return f"{self.namespace}queue:{queue}:children"

    def meta(self, queue: str) -> str:
        """Hash: which flow owns the queue, and counts of what was dropped."""
        return f"{self.namespace}queue:{queue}:meta"

    def settings(self, flow: str) -> str:
        """String: what others must know of a flow that shares queues or leaves something behind: packed settings."""
        return f"{self.namespace}flows:settings:{flow}"

    def stale(self, queue: str) -> str:
        """Hash: id that still stands in the waiting list, though its job has left it → how often it does."""
        return f"{self.namespace}queue:{queue}:stale"

    def ended_jobs(self, queue: str, word: str) -> str:
        """`failed`, `cancelled`: sorted set, id → when it ended, in server ms; `done`: list, a sample, newest first."""
        return f"{self.namespace}flows:ended:{queue}:{word}"

    def endings(self, flow: str, word: str) -> str:
        """Stream: the jobs of a flow that have ended so, as long as its log keeps them; of child queues, `failed`."""
        return f"{self.namespace}flows:endings:{flow}:{word}"

    def errors(self, flow: str, error: str) -> str:
        """Stream: the jobs of a flow that have failed by this type of error."""
        return f"{self.namespace}flows:errors:{flow}:{error}"

    def error_types(self, flow: str) -> str:
        """Set: the types of errors that have a log."""
        return f"{self.namespace}flows:error_types:{flow}"

    def declarations(self, flow: str) -> str:
        """Hash: digest → what processes of the flow declare, and `<digest>:seen` → when one last connected."""
        return f"{self.namespace}flows:flow:{flow}"

    def processes(self, flow: str) -> str:
        """Sorted set: process → until when its last heartbeat counts, in server milliseconds."""
        return f"{self.namespace}flows:processes:{flow}"

    def process(self, flow: str, process: str) -> str:
        """String: the last heartbeat of a process, JSON."""
        return f"{self.namespace}flows:process:{flow}:{process}"

    def workers(self, queue: str) -> str:
        """Sorted set: process with workers of the queue → until when its heartbeat counts, in server milliseconds."""
        return f"{self.namespace}flows:workers:{queue}"

    def stats(self, queue: str) -> str:
        """Hash: bounded history of the queue: counts, depths and histograms by minute, ten minutes and hour."""
        return f"{self.namespace}flows:stats:{queue}"

    def names(self) -> str:
        """Hash: name that keys are made of → which flow has it, and as what."""
        return f"{self.namespace}flows:names"

    def history(self) -> str:
        """Hash: the history of the server in which our keys were seen last, and the least fence in it."""
        return f"{self.namespace}flows:history"

    def never(self, which: str) -> str:
        """Nothing: two keys that every script declares and none writes, so that a half-moved slot refuses it."""
        return f"{self.namespace}flows:never:{which}"

    def queues(self, flow: str) -> str:
        """Hash: queue that the flow has or has had → `first` where it was the first one, or `later`."""
        return f"{self.namespace}flows:queues:{flow}"

    def wake(self, name: str) -> str:
        """Sorted set of one member: popped to wake an idle worker of the queue, or one process."""
        return f"{self.namespace}flows:wake:{name}"

    def timer(self, queue: str) -> str:
        """String: the worker that wakes when the next delayed job is due."""
        return f"{self.namespace}flows:timer:{queue}"

    def call(self, worker: str) -> str:
        """String: a worker's last call and its answer, or a client's, for when the answer was lost."""
        return f"{self.namespace}flows:call:{worker}"

    def pending(self, flow: str, job_id: str) -> str:
        """Set: children of this parent that have not settled."""
        return f"{self.namespace}flows:pending:{flow}:{job_id}"

    def building(self, flow: str, job_id: str) -> str:
        """List: children of this parent that are written but not yet in their queues."""
        return f"{self.namespace}flows:building:{flow}:{job_id}"

    def parents(self, child_flow: str) -> str:
        """Hash: child id → its parent as `<flow>:<id>`, for when the child's hash is gone."""
        return f"{self.namespace}flows:parents:{child_flow}"

    def cancelling(self, root_flow: str) -> str:
        """Hash: parents that were cancelled before all their children were → how far that has come."""
        return f"{self.namespace}flows:cancelling:{root_flow}"

    def reconcile(self, flow: str) -> str:
        """Hash: how far the reconciler of the flow has come, and what it has repaired."""
        return f"{self.namespace}flows:reconcile:{flow}"

    def prune(self, flow: str) -> str:
        """Sorted set: lookup list, as `<attribute>:<value>` → when to look whether its jobs are gone."""
        return f"{self.namespace}flows:prune:{flow}"

    def log(self, flow: str, job_id: str) -> str:
        """List: the last lines that the job's functions logged, a JSON object each."""
        return f"{self.namespace}flows:log:{flow}:{job_id}"

    def stream(self, flow: str, job_id: str) -> str:
        """Stream: the text that the job's functions stream, in pieces; an id is the position of its first byte."""
        return f"{self.namespace}job:{flow}:{job_id}:stream"

    def streamed(self, flow: str, job_id: str) -> str:
        """Sharded channel: where the text of a job ends now, each time that some more was written."""
        return f"{self.namespace}flows:streamed:{flow}:{job_id}"

    def ended(self, flow: str, job_id: str) -> str:
        """Sharded channel: how the job has ended is published here, if somebody listens to `heard` too."""
        return f"{self.namespace}flows:ended:{flow}:{job_id}"

    def changed(self, flow: str) -> str:
        """Sharded channel: a line `<id> <state> <queue>` for each job that a script has moved, if `heard` has ears."""
        return f"{self.namespace}flows:changed:{flow}"

    def heard(self, flow: str) -> str:
        """Sharded channel: nothing is published here; who listens to a channel of the flow listens here first."""
        return f"{self.namespace}flows:heard:{flow}"

    def cancel(self, queue: str) -> str:
        """Sharded channel: the ids of running jobs of this queue that shall be cancelled."""
        return f"{self.namespace}flows:cancel:{queue}"
