"""Random calls with keys in random order, beside a model: a key lets through, and keeps out, what its rule says.

The server is real and time is the test's; what else becomes of jobs is chosen at random, accidents among it.
FLOWS_TEST_EXAMPLES sets how many runs are made, 25 by default.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

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

from tests.outcomes import ended
from tests.scale import scaled
from tests.store.creation.keyed import create
from tests.world import LEASE, World

KEYS = ("k", "l")
LINES = ("user:1", "user:2", "tag:a")
UNIQUE = ("unique started", "unique ended", "unique 700", "unique 60000")
DEBOUNCE = ("debounce 500 0", "debounce 500 900", "debounce 3000 3000")
OPEN = {"waiting", "delayed", "processing", "children"}
ENDINGS = ("finish", "advance", "fail", "retry", "snooze", "release", "cancel")


@dataclass(frozen=True)
class Call:
    """A call of a client, which may be sent again, and what the model expects of it."""

    condition: str
    key: str
    job_id: str
    delay_ms: int
    lookups: tuple[str, ...]
    value: str
    call: str
    answer: tuple[str, str] = ("", "")


@dataclass
class Known:
    """What the model knows of a job that was created with a key."""

    condition: str
    key: str
    since: int
    value: str
    lookups: tuple[str, ...]
    due: int
    #: Whether anything but calls with its key has moved it.
    moved: bool = field(default=False)


class Keys(RuleBasedStateMachine):
    """The rules are the calls that clients, workers and accidents make."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, Known] = {}
        #: The job that each key names.
        self.holders: dict[tuple[str, str], str] = {}
        self.calls: list[Call] = []
        self.attempts: list[tuple[str, str, int]] = []
        self.numbers = 0

    @initialize()
    def begin(self) -> None:
        """Take an empty world."""
        keys = list(self.world.redis.scan_iter(f"{self.world.namespace}*"))
        if keys:
            self.world.redis.delete(*keys)

    # What the model says

    def hash_of(self, job_id: str) -> dict[str, str]:
        """Return what there is of a job."""
        found: dict[str, str] = self.world.job(f"shop:{job_id}")
        return found

    def expected(self, call: Call) -> tuple[str, str]:
        """Return what the call has to be answered."""
        kind, _, rule = call.condition.partition(" ")
        other = self.holders.get((kind, call.key), "")
        known, there = self.jobs.get(other), self.hash_of(other) if other else {}
        if known is None or not there:
            return "created", call.job_id
        status, queue = there.get("_status", "waiting"), there.get("_queue", "pick")
        if kind == "key":
            return ("existing" if known.value == call.value else "different"), other
        if kind == "unique":
            holds = {
                "started": status in {"waiting", "delayed"} and queue == "pick",
                "ended": status in OPEN,
            }.get(rule)
            if holds is None:
                holds = self.world.now < known.since + int(rule)
            return ("duplicate", other) if holds else ("created", call.job_id)
        put_off = status == "delayed" and queue == "pick" and not known.moved
        return ("debounced", other) if put_off else ("created", call.job_id)

    def note(self, call: Call, word: str, job_id: str) -> None:
        """Take over what the call has done."""
        kind, *times = call.condition.split(" ")
        if word not in {"created", "debounced"}:
            return
        since = self.world.now if word == "created" else self.jobs[job_id].since
        due = self.world.now + call.delay_ms
        if kind == "debounce":
            wait, longest = int(times[0]), int(times[1])
            due = self.world.now + wait if not longest else min(self.world.now + wait, since + longest)
        self.jobs[job_id] = Known(call.condition, call.key, since, call.value, call.lookups, due)
        self.holders[kind, call.key] = job_id

    # What clients do

    @rule(
        condition=st.sampled_from(("key", *UNIQUE, *DEBOUNCE)),
        key=st.sampled_from(KEYS),
        delay_ms=st.sampled_from((0, 0, 400)),
        lookups=st.sets(st.sampled_from(LINES)),
        value=st.sampled_from("ab"),
        twice=st.booleans(),
    )
    def create(  # noqa: PLR0913, PLR0917 - what is drawn for one call
        self,
        condition: str,
        key: str,
        delay_ms: int,
        lookups: set[str],
        value: str,
        twice: bool,  # noqa: FBT001 - drawn
    ) -> None:
        """Create a job with a key; the answer may be lost, and the call sent again at once."""
        delay_ms = 0 if condition.startswith("debounce") else delay_ms
        self.numbers += 1
        job_id = f"job-{self.numbers:04}"  # the same in each replay: the rules draw from the sorted ids
        one_call = self.world.keys.call(f"c{self.numbers}")
        call = Call(condition, key, job_id, delay_ms, tuple(sorted(lookups)), value, one_call)
        expected = self.expected(call)
        answer = self.send(call)
        assert answer == expected
        self.note(call, *answer)
        self.calls.append(replace(call, answer=answer))
        if twice:
            before = self.world.snapshot()
            assert self.send(call) == (answer if answer[0] != "duplicate" else expected)
            assert self.world.snapshot() == before

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """A call that has created, or put off, is sent again later: nothing comes of it, whatever happened since."""
        done = [call for call in self.calls if call.answer[0] in {"created", "debounced"}]
        if not done:
            return
        call = data.draw(st.sampled_from(done))
        if not self.hash_of(call.job_id) and not call.condition.startswith("debounce"):
            return  # it is gone: what a client sends again it has created within the last 20 s
        before = self.world.snapshot()
        assert self.send(call) == call.answer
        assert self.world.snapshot() == before

    def send(self, call: Call) -> tuple[str, str]:
        """Send it."""
        return create(
            self.world,
            call.condition,
            job_id=call.job_id,
            key=call.key,
            lookups=call.lookups,
            delay_ms=call.delay_ms,
            fields={"a": call.value},
            call=call.call,
        )

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), script=st.sampled_from(("cancel", "delete", "retry_job", "move")))
    def act(self, data: st.DataObject, script: str) -> None:
        """Act on any job by hand."""
        job_id = data.draw(st.sampled_from(sorted(self.jobs)))
        self.jobs[job_id].moved |= script == "move" or self.hash_of(job_id).get("_status") != "delayed"
        more = {"reason": "why"} if script == "cancel" else {"target": "ship"} if script == "move" else {}
        self.world.run(script, id=job_id, **more)

    # What workers do

    @rule(queue=st.sampled_from(("pick", "pack", "ship")), want=st.integers(1, 3))
    def claim(self, queue: str, want: int) -> None:
        """Promote what is due, and claim."""
        for job in self.world.claim(want, queue=queue):
            self.attempts.append((queue, job.id, job.fence))

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), verb=st.sampled_from(ENDINGS))
    def end(self, data: st.DataObject, verb: str) -> None:
        """End an attempt; of one that is over already nothing comes."""
        queue, job_id, fence = data.draw(st.sampled_from(self.attempts))
        self.world.report(ended(verb, job_id, fence), queue=queue)

    # Accidents

    @rule(ms=st.sampled_from((1, 300, 500, 700, 3000, 2 * LEASE)))
    def time_passes(self, ms: int) -> None:
        """And leases that are over are taken back."""
        self.world.now += ms
        for queue in ("pick", "pack", "ship"):
            self.world.run("rescue", queue=queue)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def a_hash_goes(self, data: st.DataObject) -> None:
        """As if it had expired."""
        self.world.redis.delete(self.world.key("jobs", f"shop:{data.draw(st.sampled_from(sorted(self.jobs)))}"))

    @rule()
    def reconcile(self) -> None:
        """The reconciler passes, and finds every lookup list due."""
        for line in (*LINES, *(f"#{kind}:{key}" for kind in ("key", "unique", "debounce") for key in KEYS)):
            if self.world.redis.exists(self.world.key("lookups", f"shop:{line}")):
                self.world.redis.zadd(self.world.key("prune", "shop"), {line: self.world.now})
        self.world.reconcile()

    # What holds

    @invariant()
    def jobs_are_as_their_calls_said(self) -> None:
        """The last params and no others, due as the rule says; found by their own lookups alone."""
        world = self.world.snapshot()
        listed, due = world.get("lookups", {}), world.get("delayed", {}).get("pick", {})
        for job_id, known in self.jobs.items():
            there = world.get("jobs", {}).get(f"shop:{job_id}")
            if not isinstance(there, dict):
                continue
            known.moved |= there.get("_status") != "delayed" or there.get("_fence", "0") != "0"
            kind = known.condition.partition(" ")[0]
            assert there["a"] == known.value
            assert there["_lookups"].split("\n") == [*known.lookups, f"#{kind}:{known.key}"]
            found = {line.removeprefix("shop:") for line, ids in listed.items() if job_id in ids}
            assert {line for line in found if line[0] != "#"} == set(known.lookups)
            assert all(ids.count(job_id) < 2 for ids in listed.values())
            if there.get("_status") == "delayed" and not known.moved:
                assert due[job_id] == known.due

    @invariant()
    def a_key_names_its_last_job(self) -> None:
        """Its list has one id, and lives as long as that job."""
        for (kind, key), job_id in self.holders.items():
            job, of_key = self.world.key("jobs", f"shop:{job_id}"), self.world.key("lookups", f"shop:#{kind}:{key}")
            if self.world.redis.exists(job):
                assert self.world.redis.lrange(of_key, 0, -1) == [job_id]
                assert self.world.redis.pexpiretime(of_key) >= self.world.redis.pexpiretime(job)


@pytest.mark.scale
def test_keys_do_what_they_say(world: World) -> None:
    """In whatever order they are called, whatever happens to the jobs meanwhile, and however often a call is sent."""

    class Here(Keys):
        pass

    Here.world = world
    examples = int(os.environ.get("FLOWS_TEST_EXAMPLES", scaled(25, full=500)))
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if examples <= 50 else [Phase.generate],
            database=None,
        ),
    )
