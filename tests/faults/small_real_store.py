"""The jobs of the small model on a real server: the same steps are taken by the real scripts."""

from __future__ import annotations

from typing import Any

from redis import Redis

from tests.faults.small_model import CHILD_QUEUE, GONE, HIDDEN, PARENT, Family, Job, State, Token
from tests.faults.small_steps import Case, Step
from tests.outcomes import ended
from tests.world import LEASE, Argument, World, attempt, packed


class RealStore:
    """The same jobs on a real server. Calls are made as workers and clients make them; accidents are edits of keys."""

    def __init__(self, world: World, case: Case) -> None:
        self.world, self.case = world, case
        self.redis: Redis = world.redis
        self.queues = [queue for queue, _ids in case.start.waiting]
        #: How often each process has died: each worker loop has an id of its own.
        self.deaths: dict[str, int] = {}
        #: The numbers of calls whose answers were lost, and the worker names that have called at all.
        self.lost: dict[str, int] = {}
        self.called: set[str] = set()
        self.calls: dict[int, Argument] = {}
        for job_id, job in enumerate(case.start.jobs):
            if job.status != GONE:
                fields = {"a": "1"} | ({"_status": "waiting", "_queue": job.queue} if job.queue else {})
                world.seed(jobs={self.name(job_id): fields}, waiting={job.queue or "pick": [str(job_id)]})

    # Names

    def flow(self, job_id: int) -> str:
        """Return the flow name of a job."""
        return CHILD_QUEUE if job_id != PARENT and CHILD_QUEUE in self.queues else "shop"

    def name(self, job_id: int) -> str:
        """Return a job as `<flow>:<id>`."""
        return f"{self.flow(job_id)}:{job_id}"

    def worker(self, name: str, queue: str) -> str:
        """Return the id of the worker loop that works on a queue."""
        return f"{name}{self.deaths.get(name, 0)}.{queue}"

    def of_worker(self, found: str | None) -> str:
        """Return the model's name of a worker loop."""
        if not found:
            return ""
        name, _, queue = found.partition(".")
        return name[0] if self.worker(name[0], queue) == found else "dead"

    # Steps

    def take(self, step: Step) -> Any:
        """Do what a step says; return the answer in the model's words."""
        return getattr(self, step.script)(*step.arguments, *((step,) if step.script == "turn" else ()))

    def turn(self, name: str, queue: str, want: int, busy: bool, again: bool, step: Step) -> tuple[Token, ...]:  # noqa: FBT001, PLR0913, PLR0917 - a step's arguments
        """Claim jobs."""
        worker = self.worker(name, queue)
        number = self.lost.pop(worker) if again else next(self.world._numbers)
        if step.costs:
            self.lost[worker] = number
        claimed = self.world.claim(want, queue=queue, worker_id=worker, busy=int(busy), number=number)
        self.called |= {worker} if claimed else set()
        return tuple((int(job.id), queue, job.fence, name) for job in claimed)

    def late_turn(self, name: str, queue: str, want: int) -> tuple[Token, ...]:
        """Claim by a call that comes after a later one."""
        worker = self.worker(name, queue)
        # One that has no later call before it is no late call.
        return tuple(self.world.claim(want, queue=queue, worker_id=worker, number=0)) if worker in self.called else ()  # type: ignore[arg-type]

    def end(self, token: Token, verb: str, *arguments: Any) -> str:
        """End an attempt."""
        job_id, queue, fence, name = token
        rest: dict[str, list[Argument]] = {
            "finish": ["{}"],
            "advance": [*arguments],
            "retry": [LEASE, '{"type":"E"}', '{"type":"E"}'],
            "snooze": [LEASE, 0, '"later"'],
        }
        if verb == "await_children":
            children = tuple((CHILD_QUEUE.removeprefix("pack:"), str(child)) for child in arguments[0])
            rest[verb] = [self.case.rules.next, self.case.rules.policy, "", 0, *packed(children)]
        said = attempt(verb, str(job_id), fence, *rest[verb]) if verb in rest else ended(verb, str(job_id), fence)
        return self.world.report(said, queue=queue, worker_id=self.worker(name, queue))[0]

    def build(self, token: Token, child: int, offset: int) -> tuple[str, int]:
        """Write one child."""
        named: dict[str, Argument] = {"id": token[0], "fence": token[2], "offset": offset}
        rest = packed(((CHILD_QUEUE.removeprefix("pack:"), str(child)),))
        return tuple(self.world.run("build", *rest, queue="pack", worker_id=self.worker(token[3], "pack"), **named))

    def publish(self, token: Token) -> tuple[str, int]:
        """Let the written children wait."""
        named: dict[str, Argument] = {"id": token[0], "fence": token[2]}
        return tuple(self.world.run("publish", queue="pack", worker_id=self.worker(token[3], "pack"), **named))

    def rescue(self, queue: str) -> list[tuple[int, str]]:
        """Take back what is over."""
        return [(int(job_id), word) for job_id, word in self.world.run("rescue", queue=queue)]

    def renew(self, token: Token) -> str:
        """Extend a lease."""
        worker = self.worker(token[3], token[1])
        return str(self.world.run("renew", str(token[0]), token[2], queue=token[1], worker_id=worker)[0])

    def cancel(self, job_id: int, long: bool) -> str:  # noqa: FBT001 - a step's arguments
        """Cancel a job; where its list is `long`, it stays in it."""
        before = {queue: self.redis.lrange(self.world.keys.waiting(queue), 0, -1) for queue in self.queues}
        word = str(self.world.run("cancel", **self.client(job_id), reason="why")[0])
        for queue, ids in before.items():
            if long and ids:
                self.redis.delete(self.world.keys.waiting(queue))
                self.redis.rpush(self.world.keys.waiting(queue), *ids)
        return word

    def cascade(self) -> str:
        """Go on cancelling."""
        parent, more, _count, _parents = self.world.run("cascade", parent="")
        return "" if not parent else "more" if more else "all"

    def delete(self, job_id: int) -> str:
        """Delete a job."""
        return str(self.world.run("delete", **self.client(job_id))[0])

    def retry_job(self, job_id: int) -> str:
        """Give a job a new life."""
        call = self.world.settings.new_call()
        word = str(self.world.run("retry_job", **self.client(job_id), call=call))
        if word == "retried":
            self.calls[job_id] = call
        return word

    def same_retry_job(self, job_id: int) -> str:
        """Send the call again that gave the job its last life."""
        return str(self.world.run("retry_job", **self.client(job_id), call=self.calls[job_id]))

    def create_again(self, job_id: int) -> None:
        """Send a creation again."""
        self.world.seed(jobs={self.name(job_id): {"a": "1"}}, waiting={"pick": [str(job_id)]})

    def client(self, job_id: int) -> dict[str, Argument]:
        """Return what a client names."""
        flow = self.flow(job_id)
        return {"id": str(job_id), "flow": flow, "first": self.world.settings.first(flow)}

    # What no script does

    def crash(self, number: int) -> None:
        """A process dies."""
        name = self.case.start.workers[number].name
        self.deaths[name] = self.deaths.get(name, 0) + 1

    def lose(self, job_id: int) -> None:
        """Lose a hash."""
        self.redis.delete(self.world.key("jobs", self.name(job_id)))

    def lease_ends(self, place: tuple[str, int]) -> None:
        """Let a lease be over."""
        self.redis.zadd(self.world.keys.processing(place[0]), {str(place[1]): self.world.now})

    def comes_due(self, place: tuple[str, int]) -> None:
        """Let a delayed job be due."""
        self.redis.zadd(self.world.keys.delayed(place[0]), {str(place[1]): self.world.now})

    def copy(self, queue: str, job_id: int) -> None:
        """Push an id once too often."""
        self.redis.rpush(self.world.keys.waiting(queue), str(job_id))

    def stray_lease(self, queue: str, job_id: int) -> None:
        """Write a lease of a job that nobody has here."""
        self.lease_ends((queue, job_id))

    def stray_delayed(self, queue: str, job_id: int) -> None:
        """Write a due time of a job that is not delayed here."""
        self.comes_due((queue, job_id))

    # The state

    def state(self, like: State) -> State:
        """Return what is on the server in the model's words; what only the model knows is taken from `like`."""
        keys, client = self.world.keys, self.redis

        def scores(place: str) -> tuple[tuple[tuple[str, int], int], ...]:
            found = [
                ((queue, int(member)), int(score))
                for queue in self.queues
                for member, score in client.zrange(self.world.key(place, queue), 0, -1, withscores=True)
            ]
            return tuple(sorted(found))

        now = self.world.now
        return like._replace(
            jobs=tuple(self.job(job_id) for job_id in range(len(like.jobs))),
            waiting=tuple((queue, tuple(map(int, client.lrange(keys.waiting(queue), 0, -1)))) for queue in self.queues),
            processing=tuple((place, score > now) for place, score in scores("processing")),
            delayed=tuple((place, score <= now) for place, score in scores("delayed")),
            children=frozenset(job_id for (_queue, job_id), _since in scores("children")),
            family=self.family() if CHILD_QUEUE in self.queues else like.family,
        )

    def job(self, job_id: int) -> Job:
        """Return a job's hash."""
        found = self.world.job(self.name(job_id))
        if not found:
            return Job(GONE)
        bounded = self.world.life("jobs", self.name(job_id)) > 0
        # A child that was let out has no TTL before its first end.
        hidden = bounded and "_status" not in found and self.flow(job_id) == CHILD_QUEUE
        return Job(
            HIDDEN if hidden else found.get("_status", "waiting"),
            found.get("_queue", ""),
            int(found.get("_fence", 0)),
            self.of_worker(found.get("_worker")),
            int(found.get("_attempts", 0)),
            int(found.get("_visit", 0)),
            int(found.get("_rescues", 0)),
            "_cancel" in found,
            bounded,
        )

    def building(self) -> list[str]:
        """Return the children that are written and not let out, as `<flow>:<id>`."""
        found: Any = self.redis.lrange(self.world.key("building", "shop:0"), 0, -1)
        return [key.removeprefix(f"{self.world.namespace}job:") for key in found]

    def family(self) -> Family:
        """Return what is known of the parent's children."""
        parent, side = self.world.job("shop:0"), self.world.life("settled", "shop:0:children:pack")
        listed = parent.get("children:pack:jobs", "")[2:-2].split('","')
        return Family(
            pending=frozenset(map(int, self.redis.smembers(self.world.key("pending", "shop:0")))),
            known=frozenset(map(int, self.redis.hkeys(self.world.key("parents", CHILD_QUEUE)))),
            listed=frozenset(int(key.rpartition(":")[2]) for key in listed if key),
            side="none" if side == -2 else "immortal" if side == -1 else "bounded",
            building=tuple(int(name.rpartition(":")[2]) for name in self.building()),
            building_visit=int(parent.get("_building", -1)),
            built="_built" in parent,
            failed_child="_failed_child" in parent,
            next=parent.get("_next", ""),
            cancelling=bool(self.redis.exists(self.world.key("cancelling", "shop"))),
        )
