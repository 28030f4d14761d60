# pyright: strict
# ruff: noqa: T201 - a short way to use a value
"""What users may get wrong of priorities, limits, groups, keys and shared queues: both checkers refuse marked lines."""

from __future__ import annotations

from datetime import timedelta

from limits_accepted import Address, Mail, Send, gpu, mail, overall

from flows import ChildJob, Debounce, JobOptions, Limiter, QueueOptions, Slots, Snooze, Unique

# Limiters and slots.
Limiter(5)  # refused: in which time?
Limiter("5/1s")  # refused
Limiter("5", 1)  # refused
Limiter(2.5, 1)  # refused: whole tokens
Limiter(5, "1s")  # refused: a text has no unit
Limiter(5, 1, "tenant")  # refused: the group has a name
Limiter(5, 1, group_key=7)  # refused
Limiter(5, 1, id=7)  # refused
Limiter(5, 1, smooth="yes")  # refused
Limiter(5, 1, group="tenant")  # refused: it is called group_key
overall.reservoir = 6  # refused: set_limit does that
Slots(8)  # refused: whose?
Slots(8, "gpu")  # refused: the id has a name
Slots("8", id="gpu")  # refused
Slots(8, id=7)  # refused
gpu.most = 9  # refused: set_concurrency does that

# Queues.
QueueOptions("q", job=Send, priorities="3")  # refused
QueueOptions("q", job=Send, priorities=2.5)  # refused
QueueOptions("q", job=Send, priorities=("8", "1"))  # refused
QueueOptions("q", job=Send, next_queue_priority_diff=0.5)  # refused
QueueOptions("q", job=Send, next_queue_priority_diff=None)  # refused
QueueOptions("q", job=Send, group_by=7)  # refused
QueueOptions("q", job=Send, group_by=["tenant"])  # refused: one field
QueueOptions("q", job=Send, limits=overall)  # refused: not in a list
QueueOptions("q", job=Send, limits=[gpu])  # refused: slots are max_concurrency
QueueOptions("q", job=Send, limits=[5])  # refused
QueueOptions("q", job=Send, max_concurrency="8")  # refused
QueueOptions("q", job=Send, max_concurrency=overall)  # refused: a limiter counts starts
QueueOptions("q", job=Send, max_concurrency_per_group=gpu)  # refused: a number
QueueOptions("q", job=Send, shared="mail")  # refused
QueueOptions("q", job=Send, hold=30)  # refused: queue(...).hold does that

# Verdicts and children.
Snooze("later", after=5, hold="tenant")  # refused: "queue" or "group"
Snooze("later", after=5, hold=True)  # refused
ChildJob(Address, {"address": "x"}, priority="2")  # refused
ChildJob(Address, {"address": "x"}, cost=1.5)  # refused

# Keys.
Unique()  # refused
Unique(7)  # refused
Unique("a", within="1h")  # refused: a text has no unit
Unique("a", until=timedelta(hours=1))  # refused: that is within
Debounce("a", "5s")  # refused
Debounce("a", 5, longest="60s")  # refused
wrong: JobOptions = {"priority": "2"}  # refused
unknown: JobOptions = {"weight": 2}  # refused: it is called cost


async def create() -> None:
    """Give jobs what they cannot have."""
    params = Mail(tenant="a", user_id=62)
    await mail.create_job(params, priority="high")  # refused
    await mail.create_job(params, priority=1.5)  # refused
    await mail.create_job(params, cost="3")  # refused
    await mail.create_job(params, weight=3)  # refused: it is called cost
    await mail.create_job(params, group="a")  # refused: the field says it
    await mail.create_job(params, idempotency_key=Unique("a"))  # refused: a text
    await mail.create_job(params, unique=Debounce("a", 5))  # refused
    await mail.create_job(params, debounce=Unique("a"))  # refused
    await mail.create_jobs([params], priority="high")  # refused
    await mail.create_jobs([params], cost=0.5)  # refused
    await mail.set_priority(62, 1)  # refused: no id
    mail.sync.create_job(params, priority="high")  # refused
    mail.sync.create_job(params, unique="a")  # refused
    mail.sync.create_job(params, debounce=5)  # refused
    mail.sync.create_job(params, idempotency_key=5)  # refused


async def steer(job_id: str) -> None:
    """Set what is no limit."""
    await mail.set_priority(job_id)  # refused: which?
    await mail.set_priority(job_id, "high")  # refused
    queue = mail.queue(Send)
    print((await queue.limits()).used)  # refused: there may be several
    print(queue.limits()[0])  # refused: not awaited
    print((await queue.limits())[0].used + 1)  # refused: it may not be known
    await queue.limits(group=1.5)  # refused
    await queue.set_limit("provider")  # refused: how many?
    await queue.set_limit(overall, 20)  # refused: by its id
    await queue.set_limit("provider", "20")  # refused
    await queue.set_limit("provider", 20, 1, "a")  # refused: the group has a name
    await queue.set_concurrency(gpu)  # refused: a number
    await queue.set_concurrency(5, 3)  # refused: per_group has a name
    await queue.set_share("a", "2")  # refused
    await queue.set_share("a")  # refused
    await queue.hold("30s")  # refused
    await queue.hold(30, "a")  # refused: the group has a name
    queue.hold(30)  # refused: not awaited
    mail.sync.queue(Send).set_limit("provider", "20")  # refused
    mail.sync.queue(Send).hold("30s")  # refused
