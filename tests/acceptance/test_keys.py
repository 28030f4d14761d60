"""Keys in numbers: a hundred producers, keys of every kind, and replies that are lost; one job a key."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.faults.flow_under_test import make_flow
from tests.faults.keyed import KINDS
from tests.faults.keyed_by_many import PRODUCERS, produce, wrongs
from tests.faults.proxy import Proxy
from tests.faults.server import Server
from tests.scale import scaled
from tests.waiting import LONG


@pytest.mark.scale
def test_a_hundred_producers_of_a_key_create_one_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them asks for each key once, of each kind, and is told the id of its one job.

    With `make scale`, 1,000 keys of each kind.
    """
    # On a busy machine, so many cut lines in a row may look like a server that is away.
    monkeypatch.setattr("flows.store.client.connection.DEADLINE", LONG)
    keys = scaled(3, full=1_000)
    server = Server(tmp_path, profile="none")
    server.start()
    try:
        with Proxy(server.port) as proxy:
            chance = random.Random(keys)  # noqa: S311 - chance, not secrets
            answers, losses = asyncio.run(produce(lambda: make_flow(proxy.url, lease=30.0), proxy, keys, chance))
        with server.client(timeout=60.0) as client:
            assert list(wrongs(answers, client, keys)) == []
        assert losses > 0
        assert sum(told.total() for told in answers.values()) == PRODUCERS * len(KINDS) * keys
    finally:
        server.stop()
