"""The table of instances, the same in all databases: texts are compared character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json
from sqlalchemy import BigInteger, Column, Double, Index, MetaData, SmallInteger, String, Table, Text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

#: What MySQL and MariaDB take for a character, in bytes.
_WIDEST: Final = 4


class Exact(TypeDecorator[str]):
    """A text that equals no other one, and is in order by its characters.

    PostgreSQL has the collation `C` for that. MySQL's and MariaDB's take `A` for `a`, or `x` for `x `: there it is
    kept as bytes.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of a database."""
        length = self.impl_instance.length if isinstance(self.impl_instance, String) else None
        if dialect.name == "postgresql":
            return postgresql.VARCHAR(length, collation="C") if length else postgresql.TEXT(collation="C")
        if dialect.name in {"mysql", "mariadb"}:
            return mysql.VARBINARY(length * _WIDEST) if length else mysql.MEDIUMBLOB()
        return String(length) if length else Text()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Return a value for a database."""
        return value.encode() if value is not None and dialect.name in {"mysql", "mariadb"} else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Return what a database has returned."""
        return value.decode() if isinstance(value, (bytes, bytearray)) else value


TABLE: Final = Table(
    "flows_instances",
    MetaData(),
    Column("id", Exact(36), primary_key=True),
    Column("app", Exact(64), nullable=False),
    Column("generator", Exact(64), nullable=False),
    Column("realm", Exact(256), nullable=False),
    Column("name", Exact(256), nullable=False),
    Column("status", Exact(16), nullable=False),
    Column("progress", Double[float](), nullable=False),
    Column("labels", Exact(), nullable=False),
    Column("ephemeral", SmallInteger(), nullable=False),
    Column("created", BigInteger(), nullable=False),
    Column("updated", BigInteger(), nullable=False),
    Column("revision", BigInteger(), nullable=False),
    # Each page is read by the index of what is asked for, from its end on: ids are in order of time.
    Index("flows_instances_id", "app", "id"),
    Index("flows_instances_status", "app", "status", "id"),
    Index("flows_instances_realm", "app", "realm", "id"),
    Index("flows_instances_realm_status", "app", "realm", "status", "id"),
    Index("flows_instances_generator", "app", "generator", "id"),
    Index("flows_instances_name", "app", "name", "id"),
)


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as a JSON object, without spaces."""
    return to_json(dict(labels)).decode()


def member_text(label: str, value: str) -> str:
    """Return how a label stands in such a text."""
    return labels_text({label: value})[1:-1]
