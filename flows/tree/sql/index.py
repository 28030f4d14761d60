"""`SqlIndex`: finds instances in a table of SQLite, PostgreSQL, MySQL or MariaDB; it needs the extra `sql`."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from flows.errors import DeclarationError, MissingExtra, StoreUnavailable
from flows.tree.index.protocol import InstancePage
from flows.tree.storage.protocol import InstanceRow

try:
    from sqlalchemy import delete, func, or_, select
    from sqlalchemy.dialects import mysql, postgresql, sqlite
    from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, SQLAlchemyError
    from sqlalchemy.ext.asyncio import create_async_engine

    from flows.tree.sql.table import TABLE, labels_text, member_text
except ImportError:
    raise MissingExtra("SqlIndex", "sql") from None

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from flows.tree.index.protocol import Find

#: Where a text stands in another one, by the databases' names of this function.
_PLACE: Final = {"postgresql": "strpos", "sqlite": "instr", "mysql": "instr", "mariadb": "instr"}
_FORMS: Final = "sqlite+aiosqlite:///FILE, postgresql+asyncpg://USER:PASSWORD@HOST/NAME or mysql+asyncmy://…"
_COLUMNS: Final = TABLE.c
#: So many rows are taken by their names, where SQLite is to find those whose names begin somehow.
_FEW: Final = 10_000
#: What is read of a row, in the order of its members; two of them are stored as something else.
_NAMES: Final = [one.name for one in fields(InstanceRow)]
_LABELS: Final = _NAMES.index("labels")
_EPHEMERAL: Final = _NAMES.index("ephemeral")


class SqlIndex:
    """Finds instances in the table `flows_instances`, which `create_table` makes; for one event loop.

    Args:
        url: The database, as SQLAlchemy writes it, with an async driver: `sqlite+aiosqlite:///FILE`,
            `postgresql+asyncpg://USER:PASSWORD@HOST/NAME` or `mysql+asyncmy://USER:PASSWORD@HOST/NAME`.

    Raises:
        MissingExtra: SQLAlchemy is not installed.
        DeclarationError: the URL cannot be used, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        dialect = self._engine.dialect.name
        if dialect not in _PLACE:
            raise DeclarationError(f"SqlIndex: {dialect} is not known here: give {_FORMS}")
        self._place = getattr(func, _PLACE[dialect])
        self._upsert: Any = _upsert(dialect)

    def __repr__(self) -> str:
        return f"<SqlIndex on {self._engine.dialect.name}>"

    async def create_table(self) -> None:
        """Make the table and its indexes, where they are not there.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        try:
            await self._create()
        except StoreUnavailable:  # another process has made them at the same time, perhaps
            await self._create()

    async def put(self, rows: Sequence[InstanceRow]) -> None:
        """Take rows: see `Index.put`."""
        # In one order, so that two processes cannot wait for each other's rows.
        values = [_values(row) for row in sorted(rows, key=lambda row: row.id)]
        if values:
            async with self._connected() as connection:
                await connection.execute(self._upsert, values)

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget instances: see `Index.remove`."""
        if ids:
            async with self._connected() as connection:
                await connection.execute(delete(TABLE).where(_COLUMNS.id.in_(ids)))

    async def find(self, app: str, query: Find) -> InstancePage:
        """Return a page of the instances of an app: see `Index.find`."""
        asked = select(*(_COLUMNS[name] for name in _NAMES)).where(_COLUMNS.app == app, *self._conditions(query))
        async with self._connected() as connection:
            asked = asked.where(*await self._place_of(connection, app, query))
            found = await connection.execute(asked.order_by(_COLUMNS.id.desc()).limit(query.limit + 1))
            rows = [_row(one) for one in found]
        page = rows[: query.limit]
        return InstancePage(page, page[-1].id if len(rows) > query.limit else "")

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    async def _create(self) -> None:
        async with self._connected() as connection:
            await connection.run_sync(TABLE.metadata.create_all)

    async def _place_of(self, connection: AsyncConnection, app: str, query: Find) -> list[ColumnElement[bool]]:
        """Return the conditions of how names begin, and of what stands behind the cursor.

        SQLite does not know how many names begin so: it would sort all of them, or look through all instances for a
        few. So these are counted, up to some: few are taken by the index of names, and of many a page is found soon.
        """
        behind = [_COLUMNS.id < query.cursor] if query.cursor else []
        if query.name is None or not query.name.endswith("*"):
            return behind
        begins = _begins(_COLUMNS.name, query.name[:-1])
        if not begins or self._engine.dialect.name != "sqlite":
            return [*begins, *behind]
        named = select(_COLUMNS.id).where(_COLUMNS.app == app, *begins)
        count = await connection.execute(select(func.count()).select_from(named.limit(_FEW + 1).subquery()))
        if count.scalar_one() > _FEW:
            return [*_begins(_COLUMNS.name.concat(""), query.name[:-1]), *behind]  # which is in no index
        return [_COLUMNS.id.in_(named.where(*behind))]

    def _conditions(self, query: Find) -> list[ColumnElement[bool]]:
        columns = _COLUMNS
        asked = ((columns.realm, query.realm), (columns.generator, query.generator), (columns.status, query.status))
        found: list[ColumnElement[bool]] = [column == value for column, value in asked if value is not None]
        if query.name is not None and not query.name.endswith("*"):
            found.append(columns.name == query.name)
        for label, value in (query.labels or {}).items():
            # A member's text stands behind one of these, and nowhere within a text: there each quote is escaped.
            places = [self._place(columns.labels, before + member_text(label, value)) for before in "{,"]
            found.append(or_(*(place > 0 for place in places)))
        if query.since is not None:
            found.append(columns.created >= query.since.timestamp() * 1000)
        if query.until is not None:
            found.append(columns.created < query.until.timestamp() * 1000)
        return found

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[AsyncConnection]:
        """Open a connection and a transaction.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            said = f"{type(error.orig).__name__}: {error.orig}"
            hint = "; where its table is not there, make it by create_table()" if TABLE.name in said else ""
            raise StoreUnavailable(f"the index cannot use its database: {said}{hint}") from None
        except (OSError, SQLAlchemyError) as error:
            raise StoreUnavailable(f"the index cannot use its database: {type(error).__name__}: {error}") from None


def _engine(url: str) -> AsyncEngine:
    """Return the engine of a URL; what is wrong with one is said without it: it has a password."""
    try:
        return create_async_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    except ModuleNotFoundError as error:
        raise DeclarationError(f"SqlIndex: its driver {error.name} is not here: pip install {error.name}") from None
    except (ArgumentError, InvalidRequestError, ValueError, TypeError, AttributeError):
        raise DeclarationError(f"SqlIndex: its URL is none of a database with an async driver: give {_FORMS}") from None


def _upsert(dialect: str) -> object:
    """Return the statement that takes a row, unless a later revision of it is there."""
    others = [column.name for column in _COLUMNS if column.name not in {"id", "revision"}]
    if dialect in {"mysql", "mariadb"}:
        taken = mysql.insert(TABLE)
        is_later = taken.inserted.revision > _COLUMNS.revision
        # The revision last: what stands before it still sees the old one.
        changes = [(name, func.IF(is_later, taken.inserted[name], _COLUMNS[name])) for name in (*others, "revision")]
        return taken.on_duplicate_key_update(changes)
    insert = postgresql.insert(TABLE) if dialect == "postgresql" else sqlite.insert(TABLE)
    return insert.on_conflict_do_update(
        index_elements=[_COLUMNS.id],
        set_={name: insert.excluded[name] for name in (*others, "revision")},
        where=_COLUMNS.revision < insert.excluded.revision,
    )


def _begins(name: ColumnElement[str], prefix: str) -> list[ColumnElement[bool]]:
    """Return the range of the names that begin so: `LIKE` means something else in each database."""
    if not prefix:
        return []
    last = prefix.rstrip(chr(0x10FFFF))
    found: list[ColumnElement[bool]] = [name >= prefix]
    if last:
        code = ord(last[-1]) + 1
        found.append(name < last[:-1] + chr(0xE000 if code == 0xD800 else code))  # noqa: PLR2004 - surrogates
    return found


def _values(row: InstanceRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "app": row.app,
        "generator": row.generator,
        "realm": row.realm,
        "name": row.name,
        "status": row.status,
        "progress": row.progress,
        "labels": labels_text(row.labels),
        "ephemeral": row.ephemeral,
        "created": row.created,
        "updated": row.updated,
        "revision": row.revision,
    }


def _row(found: Any) -> InstanceRow:
    members = list(found)
    members[_LABELS] = from_json(members[_LABELS])
    members[_EPHEMERAL] = bool(members[_EPHEMERAL])
    return InstanceRow(*members)
