"""Trees whose instances stand in DynamoDB and are found by SQL: as a whole, and where somebody dies between the two."""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from flows.errors import DeclarationError, MissingExtra, StoreUnavailable
from flows.tree import Find, Trees
from flows.tree.aws import DynamoStorage, SqsBackend
from flows.tree.outbox import Outbox
from flows.tree.sql import SqlIndex
from flows.tree.storage.protocol import InstanceChange
from tests.tree.conformance.backend import App, BackendConformance
from tests.tree.conformance.instances import ABC, DATA, row

pytestmark = pytest.mark.conformance


@pytest.fixture
async def storage(dynamo: dict[str, Any]) -> AsyncIterator[DynamoStorage]:
    """Open a storage in a table of its own."""
    found = DynamoStorage(f"t{secrets.token_hex(6)}", **dynamo)
    await found.create_table()
    yield found
    await found.close()


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqlIndex]:
    """Open an index in a file."""
    found = SqlIndex(f"sqlite+aiosqlite:///{tmp_path}/index.db")
    await found.create_table()
    yield found
    await found.close()


class TestKernelBackendOnDynamo(BackendConformance):
    """Executions are runs on Redis, of instances that stand elsewhere."""

    TIMEOUT = 1

    @pytest.fixture
    def app(self, redis_url: str, namespace: str, storage: DynamoStorage, index: SqlIndex) -> App:
        """Return the app."""
        return App(Trees("dynamo", redis_url=redis_url, namespace=namespace, storage=storage, index=index))


async def test_who_dies_between_storage_and_index_leaves_no_difference(
    storage: DynamoStorage, index: SqlIndex, dynamo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the next pass, of another process, the index has what the storage has: new, changed and gone ones."""
    new = [row(name=str(at), realm="acme") for at in range(6)]
    for one in new:
        await storage.create(one, DATA, ABC)
    outbox = Outbox("imports", storage, index)
    assert await outbox.move() == 6
    await storage.change(new[0].id, InstanceChange(name="changed"), 1)
    await storage.delete(new[1].id)
    late = row(name="late", realm="acme")
    await storage.create(late, DATA, ABC)

    async def die(*_: object) -> None:
        raise StoreUnavailable("it is away")

    for method in ("put", "remove"):
        with monkeypatch.context() as patch:
            patch.setattr(index, method, die)
            with pytest.raises(StoreUnavailable):
                await outbox.move()
    other = DynamoStorage(storage._table.name, **dynamo)
    assert await Outbox("imports", other, index).move() == 3
    found = {one.id: one async for one in other.scan()}
    assert {one.id: one for one in (await index.find("imports", Find(realm="acme"))).rows} == found
    assert {one.name for one in found.values()} == {"changed", "2", "3", "4", "5", "late"}
    await other.close()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: DynamoStorage("a"),
        lambda: DynamoStorage("a b c"),
        lambda: DynamoStorage(3),  # type: ignore[arg-type]
        lambda: DynamoStorage("table", credentials=("a", "b")),  # type: ignore[arg-type]
        lambda: SqsBackend("prefix", endpoint="nowhere"),
        lambda: SqlIndex(3),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_work_is_refused(wrong: Callable[[], object]) -> None:
    """When it is made."""
    with pytest.raises(DeclarationError):
        wrong()


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that brings it."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "aiobotocore.config", None)
        with pytest.raises(MissingExtra, match=r"pip install 'typed-flows\[aws\]'"):
            DynamoStorage("table")
    for name in [one for one in sys.modules if one.startswith("flows.tree.sql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingExtra, match=r"SqlIndex needs the extra `sql`"):
        __import__("flows.tree.sql")
