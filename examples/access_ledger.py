"""The ledger of one run: the jobs that were created, the memberships, and the wallets that are through, in SQLite."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES = """
    CREATE TABLE IF NOT EXISTS jobs (address TEXT PRIMARY KEY, job_id TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS memberships (role TEXT, address TEXT, PRIMARY KEY (role, address)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS results (address TEXT PRIMARY KEY, children INTEGER NOT NULL) WITHOUT ROWID;
"""


class Ledger:
    """What is known for good.

    A job runs at least once, so each of these facts may be told twice: its primary key makes that harmless.
    """

    def __init__(self, file: Path) -> None:
        # One connection for all threads, one at a time. With a write-ahead log a commit waits for no disk:
        # it outlives this process, though the last ones not a power cut.
        self._connection = sqlite3.connect(file, timeout=30, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(TABLES)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Fold the write-ahead log into the file."""
        self._connection.close()

    def created(self, jobs: Iterable[tuple[str, str]]) -> None:
        """Keep which job was created for which wallet."""
        self._write("INSERT OR IGNORE INTO jobs VALUES (?, ?)", jobs)

    def forget(self, addresses: Iterable[str]) -> None:
        """Forget the jobs of these wallets, which the server has no more."""
        self._write("DELETE FROM jobs WHERE address = ?", [(address,) for address in addresses])

    def grant(self, role: str, address: str) -> bool:
        """Record a membership; False where it was recorded before."""
        return self._write("INSERT OR IGNORE INTO memberships VALUES (?, ?)", [(role, address)]) > 0

    def settle(self, address: str, children: int) -> None:
        """Record that a wallet is through, and how many child jobs it took."""
        self._write("INSERT OR IGNORE INTO results VALUES (?, ?)", [(address, children)])

    def open_jobs(self) -> dict[str, str]:
        """Return the jobs whose wallets are not through, by wallet."""
        query = "SELECT address, job_id FROM jobs WHERE address NOT IN (SELECT address FROM results)"
        return dict(self._read(query))

    def addresses(self) -> set[str]:
        """Return the wallets that have a job."""
        return {address for (address,) in self._read("SELECT address FROM jobs")}

    def members(self) -> dict[str, int]:
        """Return how many wallets have each role."""
        return dict(self._read("SELECT role, COUNT(*) FROM memberships GROUP BY role"))

    def settled(self) -> tuple[int, int]:
        """Return how many wallets are through, and how many child jobs they took."""
        wallets, children = self._read("SELECT COUNT(*), COALESCE(SUM(children), 0) FROM results")[0]
        return wallets, children

    def _write(self, statement: str, rows: Iterable[tuple[str | int, ...]]) -> int:
        with self._lock, self._connection:
            return self._connection.executemany(statement, rows).rowcount

    def _read(self, query: str) -> list[Any]:
        with self._lock, closing(self._connection.execute(query)) as rows:
            return rows.fetchall()
