"""What each index of instances has to keep to. An index's own test subclasses `IndexConformance`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flows.errors import ValidationError
from flows.tree.index.protocol import Find, Index
from flows.tree.storage.protocol import InstanceRow


def rows(count: int) -> list[InstanceRow]:
    """Return rows of 25 each: ids in order of time, two realms, two generators, names that begin alike."""
    return [
        InstanceRow(
            f"01930000-0000-7000-8000-{at:012x}",
            "imports",
            ("site", "shop")[at % 3 == 0],
            realm=("acme", "other")[at % 2],
            name=f"page {at:02}" if at % 5 else "",
            labels={"kind": "x", "at": str(at)},
            status=("idle", "done")[at % 4 == 0],  # type: ignore[arg-type]
            created=1_000_000 + at * 1000,
            revision=3,
        )
        for at in range(count)
    ]


@pytest.mark.conformance
class IndexConformance:
    """The suite."""

    @pytest.fixture
    def index(self) -> Index:
        """Return the index."""
        raise NotImplementedError

    @pytest.mark.parametrize(
        "query",
        [
            Find(),
            Find(realm="acme"),
            Find(realm="nobody"),
            Find(realm=""),
            Find(generator="shop", status="done"),
            Find(name="page 03"),
            Find(name="page 1*"),
            Find(name="*"),
            Find(name=""),
            Find(labels={"kind": "x", "at": "7"}),
            Find(labels={"kind": "y"}),
            Find(since=datetime.fromtimestamp(1005, UTC), until=datetime.fromtimestamp(1009, UTC)),
        ],
    )
    async def test_finds_what_matches_newest_first(self, index: Index, query: Find) -> None:
        """The same as who looks at each row."""
        known = rows(25)
        await index.put(known)
        await index.put([replace(known[0], id="01930000-0000-7000-8000-0000000000ff", app="others")])
        page = await index.find("imports", query)
        assert page.rows == [one for one in reversed(known) if query.matches(one)]
        assert page.cursor == ""

    async def test_pages_follow_each_other(self, index: Index) -> None:
        """Until no more are left; what comes meanwhile does not shift them."""
        known = rows(25)
        await index.put(known)
        found: list[InstanceRow] = []
        cursor = ""
        for at in range(4):
            page = await index.find("imports", Find(realm="acme", limit=4, cursor=cursor))
            found += page.rows
            cursor = page.cursor
            await index.put([replace(known[0], id=f"01930000-0000-7000-8000-00000000010{at}")])
        assert found == [one for one in reversed(known) if one.realm == "acme"]
        assert cursor == ""

    async def test_an_older_revision_changes_nothing(self, index: Index) -> None:
        """Rows come from many processes, in any order."""
        [one] = rows(1)
        await index.put([replace(one, revision=5, status="failed"), replace(one, revision=4, status="working")])
        await index.put([replace(one, revision=5, status="done")])
        assert [found.status for found in (await index.find("imports", Find())).rows] == ["failed"]
        await index.put([replace(one, revision=6, realm="moved")])
        assert (await index.find("imports", Find(realm="acme"))).rows == []
        assert len((await index.find("imports", Find(realm="moved"))).rows) == 1

    async def test_what_is_removed_is_not_found(self, index: Index) -> None:
        """Also when it was not there."""
        known = rows(3)
        await index.put(known)
        await index.remove([known[1].id, "01930000-0000-7000-8000-0000000000aa"])
        assert (await index.find("imports", Find())).rows == [known[2], known[0]]

    def test_a_query_is_checked(self) -> None:
        """Limits, times, texts, and a status that there is."""
        for said in ({"status": "bogus"}, {"realm": 5}, {"generator": b"x"}, {"name": ["a"]}):
            with pytest.raises(ValidationError, match=next(iter(said))):
                Find(**said)  # type: ignore[arg-type]
        for wrong in ({"limit": 0}, {"limit": 1001}, {"since": datetime(2026, 1, 1)}, {"limit": True}):  # noqa: DTZ001
            with pytest.raises(ValidationError):
                Find(**wrong)  # type: ignore[arg-type]
        assert Find(since=datetime.now(UTC) - timedelta(days=1)).limit == 100
