"""Random calls in random order, beside a model in plain dicts: each job is where its state says, and ends once.

The server is real and time is the test's. FLOWS_TEST_EXAMPLES sets how many runs are made, 25 by default.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flows.model.outcome import ENDING_VERBS, OUTCOMES
from tests.outcomes import ended
from tests.scale import PATIENCE, scaled
from tests.waiting import LONG
from tests.world import (
    LEASE,
    Argument,
    Job,
    World,
    advance,
    await_children,
    finish,
    retry,
    snooze,
)

QUEUES = ("pick", "pack", "ship")
CHILDREN = ("pack:label", "pack:box")
WORKERS = ("w1", "w2")
ENDED = {"done", "failed", "cancelled"}
#: How an attempt ends, and the state that its job has then; how it waits for children is a rule of its own.
STATES = {row.verb: str(row.state) for row in OUTCOMES.values() if row.verb != "await_children"}
#: What is said by more than an example: the results, where a job goes, delays that come to an end here.
BUILD: dict[str, Callable[..., list[Argument]]] = {
    "finish": finish,
    "advance": advance,
    "retry": retry,
    "snooze": snooze,
}
#: What may stay without a TTL when every job has ended: counts of what was dropped, and wake-ups.
EVERLASTING = {"meta", "wake"}


class Attempt:
    """A claim that some worker believes to be its own, now or long ago."""

    def __init__(self, queue: str, worker: str, job: Job) -> None:
        self.queue, self.worker, self.job = queue, worker, job


class Jobs(RuleBasedStateMachine):
    """The rules are the calls that workers, clients and accidents make."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        #: What the model knows of each job: its state, its queue, its fence; gone ones are not in it.
        self.jobs: dict[str, dict[str, Any]] = {}
        #: The children that each waiting parent waits for.
        self.pending: dict[str, set[str]] = {}
        self.parents: dict[str, str] = {}
        #: Cancelled parents whose children are still to be cancelled.
        self.cancelling: set[str] = set()
        self.attempts: list[Attempt] = []
        self.ends: dict[tuple[str, int], int] = {}
        self.last_call: dict[str, Any] | None = None
        self.listener: Any = None
        self.listened: set[str] = set()

    @initialize()
    def begin(self) -> None:
        """Take an empty world and listen to the endings."""
        keys = list(self.world.redis.scan_iter(f"{self.world.namespace}*"))
        if keys:
            self.world.redis.delete(*keys)
        self.listener = self.world.redis.pubsub(ignore_subscribe_messages=True)
        for channel in (*map(self.world.keys.heard, ("shop", *CHILDREN)), self._channel("")):
            self._listen(channel)

    def teardown(self) -> None:
        """End everything and look for what stays for ever."""
        if self.listener is None:
            return
        self.listener.close()
        while self.cancelling:
            self._cascade("")
        for name in sorted(self.jobs, reverse=True):
            if self.jobs[name]["state"] not in ENDED:
                self._call("delete", name)
        self.world.now += 10 * LEASE
        for queue in QUEUES + CHILDREN:
            self.world.run("rescue", queue=queue)
            assert self.world.turn(want=200, queue=queue, worker_id="last").claimed == []
        for kind, entries in self.world.snapshot(unseen=frozenset()).items():
            for name in entries:
                assert kind in EVERLASTING or self.world.life(kind, name) > 0, f"{kind} {name} stays for ever"

    # What clients do

    @rule()
    def create(self) -> None:
        """Create a job, by the end state of the transaction."""
        job_id = self._new_id()
        self.world.seed(jobs={f"shop:{job_id}": {"a": "1"}}, waiting={"pick": [job_id]})
        self.jobs[f"shop:{job_id}"] = {"state": "waiting", "queue": "pick", "fence": 0, "life": 0}

    @rule(count=st.integers(1, 3))
    def create_in_the_parent_queue(self, count: int) -> None:
        """Create jobs that have come to the queue whose jobs have children."""
        for _ in range(count):
            job_id = self._new_id()
            fields = {"_status": "waiting", "_queue": "pack", "_fence": "1", "_worker": "w1", "_attempts": "0"}
            self.world.seed(jobs={f"shop:{job_id}": fields}, waiting={"pack": [job_id]})
            self.jobs[f"shop:{job_id}"] = {"state": "waiting", "queue": "pack", "fence": 1, "life": 0}

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel any job; its children are left to `cascade`, as if the client had died."""
        self._cancel(data.draw(st.sampled_from(sorted(self.jobs))))

    @precondition(lambda self: any(job["state"] == "children" for job in self.jobs.values()))
    @rule(data=st.data(), then=st.sampled_from(["cascade", "retry", "delete", ""]))
    def cancel_a_parent(self, data: st.DataObject, then: str) -> None:
        """Cancel a job that waits for its children, and what may follow at once."""
        name = data.draw(st.sampled_from(sorted(name for name, job in self.jobs.items() if job["state"] == "children")))
        self._cancel(name)
        if then == "cascade":
            self._cascade(name)
        elif then == "retry":
            self._retry(name)
        elif then == "delete":
            self._delete(name)

    @precondition(lambda self: self.cancelling)
    @rule(data=st.data(), named=st.booleans())
    def cascade(self, data: st.DataObject, *, named: bool) -> None:
        """Go on with the children of a cancelled parent, as its client does, or as any rescuer."""
        parent = data.draw(st.sampled_from(sorted(self.cancelling))) if named else ""
        self._cascade(parent)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def retry_job(self, data: st.DataObject) -> None:
        """Give a job another life."""
        self._retry(data.draw(st.sampled_from(sorted(self.jobs))))

    def _retry(self, name: str) -> None:
        job = self.jobs[name]
        word = self._call("retry_job", name)
        if name in self.cancelling:
            assert word == "cancelling"
        elif job["state"] in {"failed", "cancelled"}:
            assert word == "retried"
            job.update(state="waiting", life=job["life"] + 1, cancelling=False)
            self.pending.pop(name, None)
        else:
            assert word == job["state"]

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete a job and the children that the answer names."""
        self._delete(data.draw(st.sampled_from(sorted(self.jobs))))

    # What workers do

    @rule(data=st.data(), worker=st.sampled_from(WORKERS), want=st.integers(1, 3))
    def claim(self, data: st.DataObject, worker: str, want: int) -> None:
        """Claim some jobs of a queue, most often of one that has work; delayed jobs that are due are promoted by it."""
        work = sorted({job["queue"] for job in self.jobs.values() if job["state"] in {"waiting", "delayed"}})
        queue = data.draw(st.sampled_from((*work, *work, *work, *QUEUES, *CHILDREN)))
        self._claim(queue, worker, want)

    def _claim(self, queue: str, worker: str, want: int) -> None:
        before = self._fences()
        self._promote(queue)
        gone = self._settled_by_loss("waiting", queue)
        call: dict[str, Any] = {
            "queue": queue,
            "worker_id": worker,
            "want": want,
            "number": self.world.now * 100 + self.made,
        }
        self.world.now += 1
        claimed = self.world.turn(**call).claimed
        self.last_call = call if claimed else self.last_call
        for job in claimed:
            name = self._name(queue, job.id)
            model = self.jobs[name]
            assert (model["state"], model["queue"]) == ("waiting", queue)
            assert job.fence == before[name] + 1
            model.update(state="processing", fence=job.fence, worker=worker)
            self.attempts.append(Attempt(queue, worker, job))
        self._sync_losses(gone)

    @precondition(lambda self: self.last_call)
    @rule()
    def replay_last_call(self) -> None:
        """Send the last turn that brought jobs again, as if its answer was lost: it changes nothing."""
        assert self.last_call
        before = self.world.snapshot(unseen=frozenset())
        given = {(attempt.queue, attempt.job.id, attempt.job.fence) for attempt in self._current()}
        again = self.world.turn(**self.last_call).claimed
        assert {(self.last_call["queue"], job.id, job.fence) for job in again} <= given
        assert self.world.snapshot(unseen=frozenset()) == before

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), verb=st.sampled_from(sorted(STATES)))
    def end(self, data: st.DataObject, verb: str) -> None:
        """End an attempt."""
        attempt = data.draw(st.sampled_from(self._current() or self.attempts))
        self._end_by(attempt, verb)

    @precondition(lambda self: self._current())
    @rule(data=st.data(), verb=st.sampled_from(sorted(STATES)), worker=st.sampled_from(WORKERS))
    def late_call(self, data: st.DataObject, verb: str, worker: str) -> None:
        """End an attempt whose lease has ended, and whose job may be claimed anew, perhaps by the same worker."""
        attempt = data.draw(st.sampled_from(self._current()))
        self.expire_lease_and_rescue(queue=attempt.queue)
        self._claim(attempt.queue, worker, 1)
        self._end_by(attempt, verb)

    def _end_by(self, attempt: Attempt, verb: str) -> None:
        child = attempt.queue in CHILDREN
        if verb == "advance" and child:
            verb = "finish"
        build = BUILD.get(verb, partial(ended, verb))
        named = {"result": "{}"} if verb == "finish" else {"to": "ship"} if verb == "advance" else {}
        self._end(attempt, build(attempt.job.id, attempt.job.fence, **named), verb, STATES[verb])

    @precondition(lambda self: any(a.queue == "pack" for a in self._current()))
    @rule(data=st.data(), count=st.integers(0, 3), policy=st.sampled_from(["continue", "fail"]))
    def await_children(self, data: st.DataObject, count: int, policy: str) -> None:
        """Let a job of the parent queue wait for children."""
        attempt = data.draw(st.sampled_from([a for a in self._current() if a.queue == "pack"]))
        self._await(attempt, count, policy)

    def _await(self, attempt: Attempt, count: int, policy: str) -> None:
        children = [(CHILDREN[number % 2].removeprefix("pack:"), self._new_id()) for number in range(count)]
        ended = await_children(attempt.job.id, attempt.job.fence, tuple(children), "ship", policy)
        name, word = self._name("pack", attempt.job.id), self._end(attempt, ended, "await_children", "children")
        if word != "ok":
            return
        self.pending[name] = set()
        self.jobs[name]["policy"] = policy
        for child, child_id in children:
            full = f"pack:{child}:{child_id}"
            self.jobs[full] = {"state": "waiting", "queue": f"pack:{child}", "fence": 0, "life": 0}
            self.parents[full] = name
            self.pending[name].add(full)
        self._go_on(name)

    @rule(count=st.integers(2, 3), policy=st.sampled_from(["continue", "fail"]))
    def start_a_family(self, count: int, policy: str) -> None:
        """Let a job of the parent queue come to wait for children, in one step."""
        self.create_in_the_parent_queue(count=1)
        self._claim("pack", "w1", 3)
        for attempt in [attempt for attempt in self._current() if attempt.queue == "pack"]:
            self._await(attempt, count, policy)

    @rule(queue=st.sampled_from(CHILDREN), verb=st.sampled_from(["finish", "fail", "cancel", "retry"]))
    def run_a_child(self, queue: str, verb: str) -> None:
        """Let a child run and end, in one step."""
        self._claim(queue, "w2", 1)
        for attempt in [attempt for attempt in self._current() if attempt.queue == queue][-1:]:
            self._end_by(attempt, verb)

    @rule(queue=st.sampled_from(QUEUES + CHILDREN))
    def expire_lease_and_rescue(self, queue: str) -> None:
        """Let all leases of a queue end."""
        self.world.now += LEASE
        gone = self._settled_by_loss("processing", queue)
        for job_id, word in self.world.run("rescue", queue=queue):
            name = self._name(queue, job_id)
            if word == "rescued":
                assert self.jobs[name]["state"] == "processing"
                self.jobs[name].update(state="waiting", queue=queue)
            elif word in {"poison", "cancelled"}:
                self._ended(name, "failed" if word == "poison" else "cancelled")
            else:
                assert name not in self.jobs
        self._sync_losses(gone)

    @rule(ms=st.integers(1, 6000))
    def wait(self, ms: int) -> None:
        """Let time pass, so that delayed jobs become due."""
        self.world.now += ms

    @rule()
    def reconcile(self) -> None:
        """Make a pass of the reconciler: it finds what was lost by accident, and changes nothing else."""
        before = self.world.snapshot()
        gone = {
            (queue, job_id)
            for place in ("processing", "delayed", "children")
            for queue, ids in before.get(place, {}).items()
            for job_id in ids
            if self._name(queue, job_id) not in self.jobs
        }
        found = self.world.reconcile()
        assert {(queue, job_id) for queue, job_id, word in found if word == "gone"} == gone
        settled = set[tuple[str, str, str]]()
        for name, children in self.pending.items():
            for child in sorted(children - self.jobs.keys(), key=self._id):
                if self.jobs.get(name, {}).get("state") == "children":
                    settled.add((child.rpartition(":")[0], self._id(child), "settled"))
                    self._settle(child, well=False)
        assert {repair for repair in found if repair[2] != "gone"} == settled
        for queue, job_id in gone:
            self._settle(self._name(queue, job_id), well=False)
        assert found or self.world.snapshot() == before

    # Accidents

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), queue=st.sampled_from(QUEUES + CHILDREN))
    def push_an_id_again(self, data: st.DataObject, queue: str) -> None:
        """Let an id stand in a waiting list once too often: it is dropped when its turn comes.

        One that was never claimed belongs to the list in which it stands, whatever that is: it gets no other.
        """
        name = data.draw(st.sampled_from(sorted(self.jobs)))
        queue = queue if self.jobs[name]["fence"] else self.jobs[name]["queue"]
        self.world.redis.rpush(self.world.keys.waiting(queue), name.rpartition(":")[2])

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def lose_a_hash(self, data: st.DataObject) -> None:
        """Lose a job's hash, as if it had expired."""
        name = data.draw(st.sampled_from(sorted(self.jobs)))
        self.world.redis.delete(self.world.key("jobs", name))
        del self.jobs[name]

    # What always holds

    @invariant()
    def every_job_is_where_its_state_says(self) -> None:
        """The hashes are the model's, and each job stands in one place; ids of others are leftovers."""
        found = self.world.snapshot()
        hashes = found.get("jobs", {})
        assert hashes.keys() == self.jobs.keys()
        for name, job in hashes.items():
            model, (flow, _, job_id) = self.jobs[name], name.rpartition(":")
            state = job.get("_status", "waiting")
            queue = job.get("_queue", "pick" if flow == "shop" else flow)
            assert (state, queue) == (model["state"], model["queue"]), name
            assert int(job.get("_fence", 0)) == model["fence"]
            for place in ("processing", "delayed", "children"):
                there = [of for of, ids in found.get(place, {}).items() if job_id in ids and self._is(flow, of)]
                assert there == ([queue] if state == place else []), (name, place)
            if state == "waiting":
                assert job_id in found.get("waiting", {}).get(queue, ()), name
        self._pending_is(found.get("pending", {}))
        assert found.get("cancelling", {}).get("shop", {}).keys() == self.cancelling

    @invariant()
    def every_job_ends_once_in_a_life(self) -> None:
        """Each ending is told once, and only of jobs that are in that state in the model."""
        if self.listener is None:
            return
        # A message of our own comes after all that the calls before it have told.
        self.world.redis.spublish(self._channel(""), "all")
        while (message := self.listener.get_message(timeout=LONG))["data"] != "all":
            name, word = message["channel"].partition("flows:ended:")[2], message["data"]
            if word != "deleted":
                life = self.jobs[name]["life"] if name in self.jobs else -1
                self.ends[name, life] = self.ends.get((name, life), 0) + 1
                assert life == -1 or self.ends[name, life] == 1, (name, word)
        for name in self.jobs.keys() - self.listened:
            self.listened.add(name)
            self._listen(self._channel(name))

    def _channel(self, name: str) -> str:
        """Return the channel of a job, by its flow and id; that of no job is this test's own."""
        return f"{self.world.namespace}flows:ended:{name}"

    def _listen(self, channel: str) -> None:
        self.listener.ssubscribe(channel)
        self.listener.get_message(timeout=LONG)

    # The model

    def _pending_is(self, found: dict[str, set[str]]) -> None:
        """Parents wait for what has not settled."""
        for name, children in self.pending.items():
            if name in self.jobs and self.jobs[name]["state"] == "children":
                assert {self._id(child) for child in children} == set(found.get(name, ())), name

    def _current(self) -> list[Attempt]:
        """Attempts that own their jobs."""
        return [attempt for attempt in self.attempts if self._owned(attempt) == attempt.job.fence]

    def _owned(self, attempt: Attempt) -> int | None:
        job = self.jobs.get(self._name(attempt.queue, attempt.job.id), {})
        mine = (job.get("state"), job.get("queue")) == ("processing", attempt.queue)
        return job["fence"] if mine else None

    def _is(self, flow: str, queue: str) -> bool:
        return (queue if queue in CHILDREN else "shop") == flow

    def _name(self, queue: str, job_id: str) -> str:
        return f"{queue if queue in CHILDREN else 'shop'}:{job_id}"

    def _new_id(self) -> str:
        self.made += 1
        return f"{self.made:08x}-0000-7000-8000-000000000000"

    def _id(self, name: str) -> str:
        return name.rpartition(":")[2]

    def _call(self, script: str, name: str, **named: Argument) -> Any:
        flow, _, job_id = name.rpartition(":")
        first = "pick" if flow == "shop" else flow
        return self.world.run(script, id=job_id, flow=flow, first=first, **named)

    def _fences(self) -> dict[str, int]:
        return {name: job["fence"] for name, job in self.jobs.items()}

    def _end(self, attempt: Attempt, ended: list[Argument], verb: str, state: str) -> str:
        name = self._name(attempt.queue, attempt.job.id)
        model = self.jobs.get(name)
        gone = set() if model else {name}
        [word] = self.world.report(ended, queue=attempt.queue, worker_id=attempt.worker)
        if model is None:
            assert word == "gone"
            self._sync_losses(gone)
        elif (model["state"], model["queue"], model["fence"]) != ("processing", attempt.queue, attempt.job.fence):
            assert word == "stale"
        elif verb == "cancel" or (model.get("cancelling") and verb not in ENDING_VERBS):
            assert word == "cancelled"
            self._ended(name, "cancelled")
        else:
            assert word == "ok"
            if state in ENDED:
                self._ended(name, state)
            else:
                model.update(state=state, queue="ship" if verb == "advance" else attempt.queue)
        return word

    def _ended(self, name: str, state: str) -> None:
        self.jobs[name]["state"] = state
        if state == "cancelled" and self.pending.get(name):
            self.cancelling.add(name)
        self._settle(name, well=state == "done")

    def _settle(self, child: str, *, well: bool) -> None:
        """A child has ended: its parent goes on with the last, or fails with the first that did not end well."""
        parent = self.parents.get(child)
        if parent is None or child not in self.pending.get(parent, ()):
            return
        self.pending[parent].discard(child)
        job = self.jobs.get(parent)
        if job is None or job["state"] != "children":
            return
        if not well and job["policy"] == "fail":
            job["state"] = "failed"
        self._go_on(parent)

    def _go_on(self, parent: str) -> None:
        job = self.jobs[parent]
        if job["state"] == "children" and not self.pending[parent]:
            job.update(state="waiting", queue="ship")

    def _promote(self, queue: str) -> None:
        """What is due waits after the next claim."""
        due = self.world.snapshot().get("delayed", {}).get(queue, {})
        for job_id, at in due.items():
            name = self._name(queue, job_id)
            if at <= self.world.now + 1 and name in self.jobs:
                self.jobs[name]["state"] = "waiting"
            elif at <= self.world.now + 1:
                self._settle(name, well=False)

    def _settled_by_loss(self, place: str, queue: str) -> set[str]:
        """Ids in a place whose hash is gone: the call may find that, or may not come to them."""
        ids = self.world.snapshot().get(place, {}).get(queue, ())
        return {self._name(queue, job_id) for job_id in ids} - self.jobs.keys()

    def _sync_losses(self, gone: set[str]) -> None:
        """Of children that are gone the call has settled those that it met: their entry says which."""
        known = self.world.snapshot().get("parents", {})
        for name in sorted(gone):
            flow, _, job_id = name.rpartition(":")
            if job_id not in known.get(flow, {}):
                self._settle(name, well=False)

    def _cancel(self, name: str) -> None:
        job = self.jobs.get(name)
        word, more = self._call("cancel", name, reason="why")
        if job is None:
            assert word == "gone"
        elif job["state"] == "processing":
            assert word == "requested"
            job["cancelling"] = True
        elif job["state"] in ENDED:
            assert word == "too late"
        else:
            assert word == "cancelled"
            self._ended(name, "cancelled")
        assert more == (name in self.cancelling)

    def _cascade(self, parent: str) -> None:
        found, more, _count, parents = self.world.run("cascade", parent=parent)
        assert found in self.cancelling
        assert (found == parent or not parent, more, parents) == (True, 0, [])
        self.cancelling.discard(found)
        if found not in self.jobs:
            return  # its hash alone named its children: they are on their own
        for child in sorted(self.pending.get(found, ())):
            job = self.jobs.get(child)
            if job is not None and job["state"] == "processing":
                job["cancelling"] = True
            elif job is not None:
                assert job["state"] not in ENDED
                self._ended(child, "cancelled")
            else:
                self.pending[found].discard(child)

    def _delete(self, name: str) -> None:
        word, children = self._call("delete", name)
        assert word == ("deleted" if name in self.jobs else "gone")
        self.jobs.pop(name, None)
        self.pending.pop(name, None)
        self.cancelling.discard(name)
        self._settle(name, well=False)
        for key in children:
            self._delete(key.removeprefix(f"{self.world.namespace}job:"))


@pytest.mark.scale
@pytest.mark.timeout(PATIENCE)
def test_the_store_behaves_like_its_model(world: World) -> None:
    """No order of calls and accidents leaves a job nowhere, in two places, ended twice or kept for ever."""
    Jobs.world = world
    examples = int(os.environ.get("FLOWS_TEST_EXAMPLES", scaled(25, full=500)))
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
