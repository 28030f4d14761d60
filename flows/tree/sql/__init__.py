"""Instances of task trees found by a database. It needs the extra `sql`."""

from __future__ import annotations

from flows.tree.sql.index import SqlIndex

__all__ = ["SqlIndex"]
