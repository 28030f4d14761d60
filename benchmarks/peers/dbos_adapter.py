"""DBOS: durable workflows on a database, SQLite here unless `COMPARE_POSTGRES` names another.

Its runs are started in the process that works on them, twenty at once, which is its fastest way: its queues poll.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from contract import Adapter, Part, main, run
from counting import count
from dbos import DBOS, DBOSConfig

FILE = Path(tempfile.gettempdir()) / f"compare-dbos-{os.getuid()}.sqlite"
DATABASE = os.environ.get("COMPARE_POSTGRES") or f"sqlite:///{FILE}"


@DBOS.step()
async def nothing() -> int:
    """Do what a step does here."""
    return 1


@DBOS.workflow()
async def three_steps() -> int:
    """Take three steps."""
    count.start()
    done = sum([await nothing() for _ in range(3)])
    count.tick()
    return done


class Dbos(Adapter):
    """The adapter."""

    name = "dbos"
    libraries = ("dbos", "SQLAlchemy", "uvloop")
    parts = {"runs": Part("20 at once", 100, 20)}  # noqa: RUF012 - a ClassVar in the base

    def load(self, workload: str, jobs: int, size: int) -> None:
        """Begin with an empty file; the worker starts the runs."""
        del workload, jobs, size
        for file in FILE.parent.glob(f"{FILE.name}*"):
            file.unlink()

    def work(self, workload: str, concurrency: int) -> None:
        """Run as many as are to be counted."""
        del workload

        async def work() -> None:
            DBOS(config=DBOSConfig(name="compare", system_database_url=DATABASE, run_admin_server=False))
            DBOS.launch()
            left = iter(range(count.target))

            async def one_after_another() -> None:
                for _ in left:
                    await three_steps()

            await asyncio.gather(*(one_after_another() for _ in range(concurrency)))
            await asyncio.Event().wait()

        run(work())


if __name__ == "__main__":
    main(Dbos())
