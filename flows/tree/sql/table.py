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


class _Bytes(TypeDecorator[str]):
    """A text as the bytes of its UTF-8: MySQL's and MariaDB's collations take `A` for `a`, or `x` for `x `."""

    impl = mysql.MEDIUMBLOB
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:  # noqa: ARG002 - SQLAlchemy's
        """Return the type of the column."""
        return mysql.MEDIUMBLOB() if self.length is None else mysql.VARBINARY(self.length * _WIDEST)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's
        """Return a value for the database."""
        return None if value is None else value.encode()

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Return what the database has returned."""
        return None if value is None else bytes(value).decode()


def _exact(length: int | None = None) -> TypeEngine[str]:
    """Return the type of a text that equals no other one, and is in order by its characters."""
    plain: TypeEngine[str] = Text() if length is None else String(length)
    of_postgresql = postgresql.TEXT(collation="C") if length is None else postgresql.VARCHAR(length, collation="C")
    return plain.with_variant(of_postgresql, "postgresql").with_variant(_Bytes(length), "mysql", "mariadb")


TABLE: Final = Table(
    "flows_instances",
    MetaData(),
    Column("id", _exact(36), primary_key=True),
    Column("app", _exact(64), nullable=False),
    Column("generator", _exact(64), nullable=False),
    Column("realm", _exact(256), nullable=False),
    Column("name", _exact(256), nullable=False),
    Column("status", _exact(16), nullable=False),
    Column("progress", Double[float](), nullable=False),
    Column("labels", _exact(), nullable=False),
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
