"""Row F11: jobs that are cancelled in each of their states, and at the moment at which they end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from tests.faults import raw_keys
from tests.faults.case import Case, row
from tests.faults.case_runner import spread
from tests.faults.fleet import Fleet
from tests.faults.flow_under_test import Orders

#: Long enough that a renewal and a nudge can be told apart.
_LEASE: Final = 4.0
_RENEWAL: Final = _LEASE / 4
#: Who subscribes as this user can be denied it; the others go on.
_USER: Final = "worker"
_EACH: Final = 25


class Watch:
    """Hears of every end of a job, in a thread; use it in a `with` statement.

    Attributes:
        heard: When, and how, each job ended: its id as the channel names it.
    """

    def __init__(self, case: Case) -> None:
        self.heard: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._client = case.server.client()
        self._pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        self._monitor = self._client.monitor()
        self._thread = threading.Thread(target=self._hear, daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        # Ends are told where somebody listens to the flow's own channel.
        for flow in ("orders", "pack:label", "pack:box"):
            self._pubsub.ssubscribe(f"flows:heard:{flow}")
        self._monitor.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._client.publish("watch", "end")
        self._thread.join()
        self._monitor.__exit__(kind, error, trace)
        self._pubsub.close()
        self._client.close()

    def _hear(self) -> None:
        # There are no patterns of sharded channels, and the jobs are not known yet.
        for command in self._monitor.listen():
            words = command["command"].split()
            if words[0] == "PUBLISH":
                return
            if words[0] == "SPUBLISH" and ":ended:" in words[1] and len(words) > 2:  # each opening publishes nothing
                self.heard[words[1].rpartition(":")[2]].append((time.monotonic(), words[2]))


class Cancels:
    """What was cancelled: when, and what the answer was."""

    def __init__(self, case: Case) -> None:
        self.when: dict[str, float] = {}
        self.words: dict[str, str] = {}
        self._case = case

    def all(self, ids: Sequence[str], *words: str, pause: float = 0.0) -> None:
        """Cancel these jobs one after another; the answers have to be among `words`."""
        asyncio.run(self._all(ids, pause))
        got = Counter(self.words[job_id] for job_id in ids)
        self._case.expect(set(got) <= set(words), f"the answer is {' or '.join(words)}: {got}")

    async def one(self, flow: Orders, job_id: str) -> None:
        """Cancel a job, and write it down where it is cancelled at once."""
        self.when[job_id] = time.monotonic()
        self.words[job_id] = word = await flow.cancel_job(job_id)
        if word == "cancelled":
            self._case.ledger.write("CANCELLED", job_id)

    async def _all(self, ids: Sequence[str], pause: float) -> None:
        flow = self._case.flow()
        try:
            for job_id in ids:
                await self.one(flow, job_id)
                await asyncio.sleep(self._case.random.uniform(0, pause))
        finally:
            await flow.stop_all()


@row("F11", "cancelled in each state, and as it ends", limit=90)
def f11(case: Case) -> None:
    """Each ends as cancelled or as done, once; one that runs hears of it in time, with the nudge and without."""
    case.lease = _LEASE
    with case.server.client() as client:
        raw_keys.rest_reconciler(client)
        client.execute_command("ACL", "SETUSER", _USER, "on", "nopass", "~*", "&*", "+@all")
    url = f"redis://{_USER}:any@127.0.0.1:{case.server.port}/0"
    with Watch(case) as watch:
        cancels, fleet = Cancels(case), case.fleet(url, concurrency=64)
        cancels.all(case.create(_EACH), "cancelled")
        _claimed(case, fleet, cancels)
        fleet.spawn(2)
        for kind, state in (
            ("snooze:60", "delayed"),
            ("retry:60", "delayed"),
            ("children:3;label=slow:60", "children"),
        ):
            cancels.all(_in_state(case, kind, state), "cancelled")
        _running(case, fleet, cancels, watch)
        asyncio.run(_completing(case, cancels))
        _terminal(case, cancels)
        ids = list(cancels.words)
        case.expect(not case.wait_done(ids, 5), "all end")
        _judge(case, cancels, watch)


def _in_state(case: Case, kind: str, state: str, count: int = _EACH) -> list[str]:
    """Create jobs, and return them when they are in a state."""
    ids = case.create(count, kind)
    case.expect(case.wait_until(lambda: case.count(ids) == {state: count}), f"{kind}: all are {state}")
    return ids


def _claimed(case: Case, fleet: Fleet, cancels: Cancels) -> None:
    """Cancel what a worker has claimed and not begun: it sleeps in between."""
    ids = case.create(_EACH, "slow:60")
    [sleeper] = fleet.spawn(failpoints="after-claim-reply=sleep:0.7@1")
    claimed = case.wait_until(lambda: case.count(ids)["processing"] > 0)
    case.expect(claimed and not case.starts(), "some are claimed, and none has begun")
    held = [job_id for job_id, state in case.statuses(ids).items() if state == "processing"]
    cancels.all(ids, "requested", "cancelled")
    case.figures["claimed"] = len(held)
    case.expect(not case.wait_done(ids, 5), "what was claimed and not begun ends")
    fleet.kill(sleeper)


def _running(case: Case, fleet: Fleet, cancels: Cancels, watch: Watch) -> None:
    """Cancel what runs, with the nudge and when no worker can subscribe any more."""
    p95 = {}
    with case.server.client() as client:
        for way in ("nudge", "cut"):
            if way == "cut":
                client.execute_command("ACL", "SETUSER", _USER, "-ssubscribe")
                client.execute_command("CLIENT", "KILL", "USER", _USER, "TYPE", "pubsub")
            ids = case.create(_EACH, "slow:60")
            case.wait_until(lambda ids=ids: len({entry.job_id for entry in case.starts()} & {*ids}) == len(ids))
            cancels.all(ids, "requested", pause=0.08)
            case.expect(not case.wait_done(ids, 3 * _RENEWAL), "what runs ends")
            case.wait_until(lambda ids=ids: all(watch.heard[job_id] for job_id in ids))
            late = [watch.heard[job_id][0][0] - cancels.when[job_id] for job_id in ids if watch.heard[job_id]]
            p95[way] = spread(late)["p95"]
            case.figures.update({f"{way}_{name}_s": value for name, value in spread(late).items()})
        client.execute_command("ACL", "SETUSER", _USER, "+@all")
    fleet.reap()
    case.expect(p95["nudge"] < _RENEWAL / 2, f"with the nudge, 95 % hear of it in {_RENEWAL / 2} s, not {p95}")
    case.expect(p95["cut"] < _RENEWAL * 1.25, f"without, 95 % hear of it when they renew, not {p95}")
    case.expect(p95["cut"] > p95["nudge"], f"there was no nudge when they could not subscribe: {p95}")


async def _completing(case: Case, cancels: Cancels) -> None:
    """Cancel jobs at the moment at which their function returns, in the last queue and in the first."""
    flow = case.flow()
    chance, gates = case.random, iter(range(1000))
    ids = []
    try:
        for queue in ("ship", "pick"):
            kinds = [f"{queue}=gate:{next(gates)}" for _ in range(_EACH)]
            some = await asyncio.to_thread(case.create, _EACH, lambda number, kinds=kinds: kinds[number])
            ids += list(zip(some, kinds, strict=True))
            await asyncio.to_thread(
                case.wait_until, lambda q=queue, s=some: {e.job_id for e in case.starts(queue=q)} >= {*s}
            )
            for job_id, kind in zip(some, kinds, strict=True):
                await asyncio.sleep(chance.uniform(0, 0.005))
                case.open_gate(kind.rpartition(":")[2])
                await asyncio.sleep(chance.uniform(0, 0.008))
                await cancels.one(flow, job_id)
    finally:
        await flow.stop_all()
    words = Counter(cancels.words[job_id] for job_id, _kind in ids)
    case.figures.update({f"completing_{word.replace(' ', '_')}": count for word, count in words.items()})


def _terminal(case: Case, cancels: Cancels) -> None:
    """Cancel what has ended: nothing changes."""
    ids = [*case.create(8), *case.create(8, "fail"), *case.create(8, "cancel")]
    case.expect(not case.wait_done(ids, 10), "they end")
    before = case.hashes(ids)
    cancels.all(ids, "too late")
    case.expect(case.hashes(ids) == before, "cancelling what has ended changes nothing")


def _judge(case: Case, cancels: Cancels, watch: Watch) -> None:
    """Check that each ended once, and as it may."""
    states = case.statuses(list(cancels.words))
    wrong = [
        f"{word}, and then {states[job_id]}"
        for job_id, word in cancels.words.items()
        if not _fits(word, states[job_id])
    ]
    case.expect(not wrong, f"what was cancelled is cancelled: {Counter(wrong)}")
    case.wait_until(lambda: all(watch.heard[job_id] for job_id in states), 2)
    told = {job_id: [word for _t, word in watch.heard[job_id]] for job_id in states}
    twice = {job_id: words for job_id, words in told.items() if words != [states[job_id]]}
    case.expect(not twice, f"each ends once: {list(twice.items())[:3]}")
    done = {entry.job_id for entry in case.entries("DONE") if entry.fields["ending"] == "Finish"}
    both = [job_id for job_id in done if states.get(job_id) == "cancelled"]
    case.expect(not both, f"none is done and cancelled: {both[:3]}")
    case.figures.update(cancels=len(states), ended_twice=len(twice), both_states=len(both))


def _fits(word: str, state: str) -> bool:
    wanted = {
        "cancelled": {"cancelled"},
        "requested": {"cancelled", "done"},
        "too late": {"done", "failed", "cancelled"},
    }
    return state in wanted[word]
