"""How jobs have ended, as their service's log tells it: by outcome, type of error, type, tenant and day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from redis import Redis

from flows import Cancel, Fail, ValidationError
from flows.service import Context, EndingCount, Endings
from tests.service.parts import make_service
from tests.waiting import LONG


async def test_each_ending_is_logged_by_its_kind(redis_url: str, namespace: str) -> None:
    """A log has the endings also when their jobs are gone; a producer without handlers reads it too."""
    service = make_service(redis_url, namespace, tenants="any")
    producer = make_service(redis_url, namespace, tenants="any")

    @service.on("note", timeout=60)
    async def note(name: str, _job: Context[None]) -> str:
        if name == "cancel":
            raise Cancel("no more")
        if name != "done":
            raise Fail("no", type=name)
        return name

    @service.on("other", timeout=60)
    async def other(name: str, _job: Context[None]) -> str:
        return name

    async with service:
        ids = [
            await note.create("done", tenant="acme"),
            await note.create("done", tenant="b"),
            await other.create("done", tenant="acme"),
            await note.create("too-late", tenant="acme"),
            await note.create("no-order", tenant="b"),
            await note.create("cancel"),
        ]
        for one in ids:
            await service.wait_for(one, LONG)
        for one in ids:
            await service.delete_job(one)
        done = await producer.successes()
        assert sorted(one.job_id for one in done.endings) == sorted(ids[:3])
        assert done.endings[0].ended >= done.endings[-1].ended
        assert {(one.fields["type"], one.fields["tenant"]) for one in done.endings} == {
            ("note", "acme"),
            ("note", "b"),
            ("other", "acme"),
        }
        assert {one.job_id for one in (await service.successes(type="note", tenant="acme")).endings} == {ids[0]}
        assert {one.job_id for one in (await service.failures()).endings} == {ids[3], ids[4]}
        [late] = (await service.failures(error="too-late")).endings
        assert (late.job_id, late.error, late.outcome) == (ids[3], "too-late", "failed")
        assert (await service.failures(error="too-late", tenant="b")).endings == []
        first = await service.successes(limit=2)
        rest = await service.successes(limit=2, after=first.next)
        assert [one.entry for one in (*first.endings, *rest.endings)] == [one.entry for one in done.endings]
        assert rest.next == ""
    counts = Counter[tuple[str, str]]()
    for one in await producer.counts():  # of two days, where it is just midnight
        counts[one.type, one.outcome] += one.count
    assert counts == {("note", "done"): 2, ("other", "done"): 1, ("note", "failed"): 2, ("note", "cancelled"): 1}
    await producer.stop()


async def test_days_are_those_of_a_time_zone(redis_url: str, namespace: str, redis: Redis) -> None:
    """An ending at 01:00 in UTC is of the day before in New York; counts are of days in UTC."""
    service = make_service(redis_url, namespace, endings=Endings(days=400))
    one_o_clock = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
    ended = one_o_clock - timedelta(days=2)
    key = f"{namespace}flows:endings:mailer:done"
    redis.xadd(key, {"id": "1", "type": '"note"'}, id=f"{int(ended.timestamp() * 1000)}-0")
    there, before = ended.date(), ended.date() - timedelta(days=1)
    assert [one.job_id for one in (await service.successes(day=there)).endings] == ["1"]
    assert (await service.successes(day=before)).endings == []
    assert (await service.successes(day=there, timezone="America/New_York")).endings == []
    assert [one.job_id for one in (await service.successes(day=before, timezone="America/New_York")).endings] == ["1"]
    if datetime.now(UTC).date() == one_o_clock.date():  # else midnight was just now
        assert await service.counts(days=3) == [EndingCount(there, "note", "done", 1)]
        assert await service.counts(days=1) == []
    await service.stop()


async def test_without_a_log_there_is_nothing_to_read(redis_url: str, namespace: str, redis: Redis) -> None:
    """`endings=None` keeps none."""
    service = make_service(redis_url, namespace, endings=None)

    @service.on("note", timeout=60)
    async def note(name: str, _job: Context[None]) -> str:
        return name

    async with service:
        await note.wait_for(await note.create("a"), LONG)
        with pytest.raises(ValidationError, match="has no log of endings"):
            await service.successes()
        with pytest.raises(ValidationError, match="has no log of endings"):
            await service.counts()
    assert not redis.exists(f"{namespace}flows:endings:mailer:done")


@pytest.mark.parametrize(
    "given",
    [
        {"day": "2026-11-26"},
        {"day": date(2026, 11, 26), "timezone": "Mars/Phobos"},
        {"type": "a b"},
        {"tenant": "a b"},
        {"limit": 0},
        {"after": "x"},
        {"error": 5},
    ],
)
async def test_what_cannot_be_asked_is_refused(given: dict[str, object]) -> None:
    """Before anything is sent."""
    service = make_service("redis://localhost:1", "")
    with pytest.raises(ValidationError):
        await service.failures(**given)
    with pytest.raises(ValidationError):
        await service.counts(days=0)
