"""`make conformance`: the suites of storages, indexes and backends of task trees, against each server that is here.

It says what it ran against, what it skipped, and why. Arguments go to pytest. `make test` leaves these suites to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from importlib.metadata import version as version_of
from typing import Final, NamedTuple

from tests.tree.conformance.servers import NotInstalled, mariadb, postgresql, redis_server, version

_FOLDER: Final = "tests/tree"


class Server(NamedTuple):
    """A server that Debian brings.

    Attributes:
        name: What people call it.
        start: Starts it, and yields its URL.
        program: What tells its version.
        package: What brings it.
        driver: What Python needs for it; empty: nothing more.
    """

    name: str
    start: Callable[[], AbstractContextManager[str]]
    program: str
    package: str
    driver: str = ""


_SQL: Final = (
    Server("PostgreSQL", postgresql, "postgres", "postgresql", "asyncpg"),
    Server("MariaDB", mariadb, "mariadbd", "mariadb-server", "asyncmy"),
)
_REDIS: Final = Server("Debian's Redis", redis_server, "redis-server", "redis-server")
#: Services that nobody can start here: their suites run against moto's server, unless these name another.
_ELSEWHERE: Final = {"FLOWS_TEST_DYNAMO_URL": "another DynamoDB", "FLOWS_TEST_SQS_URL": "another SQS"}


def main() -> int:
    """Run the suites; return 1 where one has failed."""
    ran = ["memory, the bundled Valkey, SQLite", f"DynamoDB and SQS of moto {version_of('moto')}"]
    skipped: list[str] = []
    with ExitStack() as stack:
        urls = [url for server in _SQL if (url := _started(server, stack, ran, skipped))]
        failed = _pytest({"FLOWS_TEST_SQL_URL": " ".join(urls)})
        redis = _started(_REDIS, stack, ran, skipped)
        if redis:
            _say(f"\n==== the same for Redis, on {ran[-1]} ====\n")
            words = ["-k", "Redis or Kernel or Queue", f"--ignore={_FOLDER}/aws"]
            failed |= _pytest({"FLOWS_TEST_REDIS_URL": redis}, *words)
    for name, what in _ELSEWHERE.items():
        if url := os.environ.get(name):
            ran.append(f"{what}: {url}")
        else:
            skipped.append(f"{what}: {name} is not set")
    _say("\n==== conformance ====\n")
    _say(*(f"  ran      {one}" for one in ran), *(f"  skipped  {one}" for one in skipped))
    _say("\nFAILED" if failed else "\nall passed")
    return int(failed)


def _started(server: Server, stack: ExitStack, ran: list[str], skipped: list[str]) -> str:
    """Start a server for as long as the stack; return its URL, or an empty text where it is not here."""
    try:
        if server.driver:
            import_module(server.driver)
        url = stack.enter_context(server.start())
    except ImportError:
        skipped.append(f"{server.name}: its driver is not installed (pip install {server.driver})")
        return ""
    except NotInstalled as error:
        skipped.append(f"{server.name}: {error}")
        return ""
    ran.append(f"{server.name}: {version(server.program, server.package)}")
    return url


def _pytest(environment: dict[str, str], *words: str) -> bool:
    # A file stays in one lane: those of SQL share one table of each database.
    lanes = ["-n", "3", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", "-q", *lanes, "-m", "conformance", _FOLDER, *words, *sys.argv[1:]]
    return subprocess.run(command, check=False, env={**os.environ, **environment}).returncode != 0


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
