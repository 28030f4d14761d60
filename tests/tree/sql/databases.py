"""The databases that indexes are tested on: a file of SQLite, and those that `make conformance` has started."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import create_async_engine

from flows.tree.sql import SqlIndex
from flows.tree.sql.table import TABLE

#: By their names: SQLite, and what FLOWS_TEST_SQL_URL names, with spaces between.
DATABASES: Final = {
    "sqlite": "",
    **{url.partition("+")[0]: url for url in os.environ.get("FLOWS_TEST_SQL_URL", "").split()},
}


@asynccontextmanager
async def empty_index(name: str, folder: Path) -> AsyncIterator[SqlIndex]:
    """Return an index in a database whose table is new."""
    url = DATABASES[name] or f"sqlite+aiosqlite:///{folder}/index.db"
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(TABLE.drop, checkfirst=True)
    await engine.dispose()
    index = SqlIndex(url)
    await index.create_table()
    yield index
    await index.close()
