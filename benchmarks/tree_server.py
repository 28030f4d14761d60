"""What an execution of a tree of ten tasks takes of the server, however busy the machine is: commands, and their time.

    python benchmarks/tree_server.py [executions]

A worker executes, and what it sends is kept. Then only that is sent again, several times, to a server that begins with
the same data, has nothing else to do and goes before other programs, where this one may say so. Prints a JSON object of
figures per execution: `cpu_us` of the server, the least of all rounds; `by_script_us`, by the server's clock; how many
`calls` of each kind there were, and how many `commands`, with those of scripts.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from measure import Recorded, run
from redis import Redis
from trees import begin_executions, ten_tasks

from flows.store.client.scripts import Script, compositions, load
from flows.store.client.wire import Wire, pack_command
from flows.testing import private_server

_EXECUTIONS: Final = 3_000
_CONCURRENCY: Final = 200
_ROUNDS: Final = 5
#: So many requests are sent in one write: a busy worker sends about as many.
_AT_ONCE: Final = 4
_SETTINGS: Final = {"appendonly": "no", "save": '""', "enable-debug-command": "yes"}
#: What waits on the server, or is about the connection alone.
_LEFT_OUT: Final = {"BZPOPMIN", "SSUBSCRIBE", "SUNSUBSCRIBE", "HELLO", "CLIENT"}
_BEGINS: Final = re.compile(rb"\*\d+\r\n\$\d+\r\n(\w+)\r\n(?:\$40\r\n(\w{40})\r\n)?")
_SCRIPTS: Final[dict[bytes, Script]] = {load(*one).sha.encode(): load(*one) for one in compositions()}


class Round(NamedTuple):
    """What all executions of one round took of the server, in microseconds, and its calls by their kinds."""

    cpu: float
    by_script: Counter[str]
    commands: Counter[str]


def kind(request: bytes) -> str:
    """Return the name of the script or the command with which a request begins."""
    found = _BEGINS.match(request)
    if found is None:
        return ""
    script = _SCRIPTS.get(found[2])
    return found[1].decode() if script is None else script.name


async def execute(url: str, executions: int) -> None:
    """Work executions off that have begun."""
    trees, _ten = ten_tasks(url)
    recorded = Recorded(trees, "tree.bench", executions)
    trees.create_workers(concurrency=_CONCURRENCY)
    async with trees:
        await recorded.wait()


def record(executions: int, data: Path) -> list[bytes]:
    """Return what a worker sends; the data with which it began stand in a file."""
    sent: list[bytes] = []
    send = Wire.send

    def keep(wire: Wire, packed: bytes, *more: Any) -> Any:  # noqa: ANN401 - as `send`
        if kind(packed) not in _LEFT_OUT:
            sent.append(packed)
        return send(wire, packed, *more)

    with private_server(settings=_SETTINGS) as url, Redis.from_url(url) as client:
        run(begin_executions(url, executions))
        client.save()
        shutil.copy(_file(client), data)
        with patch.object(Wire, "send", keep):
            run(execute(url, executions))
    return sent


def replay(sent: list[bytes], data: Path, *, one_by_one: bool) -> Round:
    """Send it all again; one by one, what each script took is known as well."""
    by_script, step = Counter[str](), 1 if one_by_one else _AT_ONCE
    with private_server(settings=_SETTINGS) as url, Redis.from_url(url) as client, _line(url) as send:
        shutil.copy(data, _file(client))
        client.execute_command("DEBUG", "RELOAD", "NOSAVE")
        for script in {_SCRIPTS[found[2]] for one in sent if (found := _BEGINS.match(one)) and found[2] in _SCRIPTS}:
            client.script_load(script.text)
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, client.info("server")["process_id"], -19)
        client.config_resetstat()
        began = _cpu(client)
        for at in range(0, len(sent), step):
            before = _micros(client) if one_by_one else 0
            send(b"".join(sent[at : at + step]))
            if one_by_one:
                by_script[kind(sent[at])] += _micros(client) - before
        used = _cpu(client) - began
        told: dict[str, Any] = client.info("commandstats")
        calls = Counter({name.removeprefix("cmdstat_"): one["calls"] for name, one in told.items()})
    return Round(used * 1e6, by_script, calls)


@contextmanager
def _line(url: str) -> Generator[Any]:
    """Yield what sends requests and waits for their answers."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(url.removeprefix("unix://").partition("?")[0])
        yield partial(_send, line)


def _send(line: socket.socket, requests: bytes) -> None:
    mark = b"answered-all"
    line.sendall(requests + pack_command(("ECHO", mark)))
    answer = b""
    while not answer.endswith(mark + b"\r\n"):
        answer = answer[-64:] + line.recv(1 << 20)


def _file(client: Redis) -> Path:
    place: dict[Any, Any] = {**client.config_get("dir"), **client.config_get("dbfilename")}
    return Path(str(place["dir"]), str(place["dbfilename"]))


def _cpu(client: Redis) -> float:
    told: dict[str, Any] = client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])


def _micros(client: Redis) -> int:
    told: dict[str, Any] = client.info("commandstats")
    return int(told.get("cmdstat_evalsha", {"usec": 0})["usec"])


def main() -> None:
    """Record once, and send it again."""
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else _EXECUTIONS
    with TemporaryDirectory() as directory:
        data = Path(directory) / "data.rdb"
        sent = record(executions, data)
        rounds = [replay(sent, data, one_by_one=False) for _ in range(_ROUNDS)]
        scripts = replay(sent, data, one_by_one=True).by_script
    calls = Counter(map(kind, sent))
    print(
        json.dumps(
            {
                "executions": executions,
                "cpu_us": round(min(one.cpu for one in rounds) / executions, 1),
                "by_script_us": {name: round(us / executions, 1) for name, us in scripts.most_common(6)},
                "calls": {name: round(count / executions, 3) for name, count in calls.most_common(8)},
                "commands": {name: round(n / executions, 2) for name, n in rounds[0].commands.most_common(14)},
            }
        )
    )


if __name__ == "__main__":
    main()
