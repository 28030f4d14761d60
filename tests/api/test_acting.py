"""What operators do: by one word each, told to the log of actions before and after."""

from __future__ import annotations

import pytest
from redis import Redis

from flows.api import jobs, operations
from flows.errors import StateError, ValidationError
from tests.api.conftest import Left


async def test_of_two_operators_one_retries(left_to_act: Left, redis: Redis) -> None:
    """The other is told what the job is by now; the log has both, each asked for first."""
    left = left_to_act
    failed = left.ids["failed"]
    async with left.admin() as admin:
        assert await jobs.retry(admin, failed) == jobs.Acted(word="retried", flow="shop", id=failed)
        with pytest.raises(StateError, match="is waiting: it cannot be retried"):
            await jobs.retry(admin, failed)
    entries = [fields for _id, fields in redis.xrange(f"{left.namespace}flows:actions")]
    assert [(one["operation"], one["caller"], one["word"], one["flow"]) for one in entries] == [
        ("jobs.retry", "ana", "asked", "shop"),
        ("jobs.retry", "ana", "retried", "shop"),
        ("jobs.retry", "ana", "asked", "shop"),
        ("jobs.retry", "ana", "StateError", "shop"),
    ]
    assert entries[0]["request"] == entries[1]["request"] != entries[2]["request"]
    assert failed in entries[0]["given"]


async def test_bad_params_are_refused_before_anything_is_asked(left: Left, redis: Redis) -> None:
    """The message names the param, and not what was given for it."""
    find = operations()["jobs.find"]
    async with left.admin() as admin:
        with pytest.raises(ValidationError, match=r"jobs\.find: limit: .*less than or equal to 100"):
            await find.call(admin, {"limit": "1000"})
        with pytest.raises(ValidationError, match="Extra inputs"):
            await find.call(admin, {"limt": 1})
        with pytest.raises(ValidationError, match="no job id"):
            await jobs.retry(admin, "7")
    assert not redis.exists(f"{left.namespace}flows:actions")
