"""The provider of the campaign: what it counts, by the clock, and what it says over a real connection."""

from __future__ import annotations

import asyncio
import random

from campaign_client import Client
from campaign_provider import Window, running
from campaign_terms import Rate, read_rate

MS = 1_000_000


def test_a_window_ends_now_wherever_it_began() -> None:
    """Three in a second: the fourth is over until the first is a second old; that instant is free."""
    window = Window(Rate(3, 1_000))
    assert [window.count(t * MS) for t in (0, 900, 950, 999)] == [0, 0, 0, 1 * MS]
    assert window.count(1_000 * MS) == 900 * MS  # the one at 999 counts too, though it was over
    assert window.fullest == 4


def test_the_fullest_window_is_found() -> None:
    """Held against a count of every window that ends with a message, over loads by chance."""
    chance = random.Random(14)  # noqa: S311 - a load, no secret
    for _ in range(50):
        times = sorted(chance.randrange(5_000) for _ in range(100))
        window = Window(Rate(1, 1_000))
        for at in times:
            window.count(at * MS)
        assert window.fullest == max(
            sum(end - 1_000 < at <= end for at in times[: i + 1]) for i, end in enumerate(times)
        )


def test_it_rejects_what_is_over_and_counts_what_it_took() -> None:
    """Per tenant and in all; the answer says which limit it was, and for how long; a repeated key is sent once."""

    async def talk(port: int) -> None:
        client = Client(port)
        await client.open(2)

        async def post(key: str, tenant: str) -> tuple[int, str | None]:
            status, body = await client.ask("POST", "/messages", {"key": key, "tenant": tenant, "email": "a@b.example"})
            assert not body or 0 < body["retry_after_ms"] <= 3_600_000
            return status, body.get("limit")

        assert [await post(f"{n}", "acme") for n in (1, 2, 3)] == [(202, None), (202, None), (429, "tenant")]
        assert [await post(key, "bolt") for key in ("4", "4")] == [(202, None), (429, "overall")]
        _status, report = await client.ask("GET", "/report")
        await client.close()
        assert report == {
            "sent": 3,
            "tenants": 2,
            "max_per_tenant_window": 3,
            "max_overall_window": 5,
            "rejected_by_provider": 2,
        }

    with running(read_rate("2/1h"), read_rate("4/1h")) as port:
        asyncio.run(talk(port))
