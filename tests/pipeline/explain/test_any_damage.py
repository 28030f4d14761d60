"""Whatever somebody has edited, `explain`, `position` and `states` answer: they are asked when something is wrong."""

from __future__ import annotations

import itertools
import json
from typing import Any, Final

import pytest
from redis import Redis

from tests.pipeline.parts import Order, Orders

FIELDS: Final = (
    "_status", "_queue", "_attempt", "_error", "_reason", "_cancel", "_ended", "_history", "_parent", "_policy",
)  # fmt: skip
NONSENSE: Final[tuple[bytes, ...]] = (
    b"", b" ", b"\xff\xfe", b"nan", b"-1", b"9" * 400, b'{"a":', b"[]", b"null", b'{"type":1}', b"price:x:y", b"%s",
    b'{"verb":"retry","at":"x"}', b"1 w 1 1 1 1 -", b"0 - 0 0 0 0 price=,", b"1 w " + b"9" * 30 + b" 0 0 0 -", b"x\0y",
)  # fmt: skip
STATES: Final = ("waiting", "delayed", "processing", "children", "failed")


@pytest.mark.parametrize("state", STATES)
async def test_a_hash_with_any_nonsense_has_an_explanation(
    orders: Orders, redis: Redis, namespace: str, state: str
) -> None:
    """In any of the kernel's fields; its facts are plain JSON."""
    job_id = await orders.create_job(Order(user_id=1))
    key, place = f"{namespace}job:orders:{job_id}", f"{namespace}queue:price:{state}"
    usual: dict[str, Any] = {"_status": state, "_queue": "price", "_attempt": "1 host.1.a 1 0 0 1 -"}
    for score, (field, nonsense) in zip(
        itertools.cycle(("1", "inf", "-inf", "1e300")), itertools.product(FIELDS, NONSENSE), strict=False
    ):
        redis.delete(key)
        redis.hset(key, mapping={"user_id": "1", **usual, field: nonsense})
        if state not in {"waiting", "failed"}:
            redis.zadd(place, {job_id: score})
        explanation = await orders.explain(job_id)
        assert explanation.sentence, (field, nonsense)
        json.dumps(dict(explanation.facts), allow_nan=False)
        await orders.position(job_id)
    await orders.stop_all()


async def test_a_queue_with_any_nonsense_has_a_state(orders: Orders, redis: Redis, namespace: str) -> None:
    """In its `meta`, in what processes say, and in what a release declares."""
    job_id = await orders.create_job(Order(user_id=1))
    for nonsense in NONSENSE:
        for name in ("paused", "paused_at", "paused_note", "stale", "done", "owner2"):
            redis.hset(f"{namespace}queue:price:meta", name, nonsense)
            assert (await orders.states())["price"].queue == "price"
            assert (await orders.explain(job_id)).sentence
            redis.hdel(f"{namespace}queue:price:meta", name)
        redis.zadd(f"{namespace}flows:workers:price", {nonsense: "-inf"})
        redis.set(f"{namespace}flows:process:orders:other", nonsense)
        redis.hset(f"{namespace}flows:flow:orders", mapping={"x": nonsense, "x:seen": "9" * 15})
        redis.hset(f"{namespace}flows:flow:orders", mapping={"y": "{}", "y:seen": nonsense})
        redis.hset(f"{namespace}flows:queues:orders", nonsense, nonsense)
        assert (await orders.explain(job_id)).reason in {"no_workers", "paused"}
    await orders.stop_all()


@pytest.mark.parametrize(
    "schema", [5, [], {}, {"required": 1}, {"required": [1, "a"], "properties": []}, {"required": ["b"]}]
)
async def test_a_declaration_with_any_schema_is_read(
    orders: Orders, redis: Redis, namespace: str, schema: object
) -> None:
    """One that is not understood counts as none."""
    job_id = await orders.create_job(Order(user_id=1))
    key = f"{namespace}flows:flow:orders"
    [digest] = [name for name in redis.hkeys(key) if not name.endswith(":seen")]
    declared = json.loads(str(redis.hget(key, digest)))
    for queue in declared["queues"]:
        queue["job"]["schema"] = schema
    redis.hset(key, digest, json.dumps(declared))
    redis.zadd(f"{namespace}flows:workers:price", {"other.1": 1 << 52})
    reason = (await orders.explain(job_id)).reason
    assert reason == ("misfit" if schema == {"required": ["b"]} else "queued")
    await orders.stop_all()
