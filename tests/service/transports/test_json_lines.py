"""Lines in files by day: each there once, whatever dies or is written at the same time."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO

import pytest

from flows.errors import DeclarationError
from flows.service.transports import json_lines
from flows.service.transports.json_lines import JsonLines
from flows.service.transports.not_sent import NotSent
from tests.scale import scaled
from tests.service.receivers import an_ending

ROOT = Path(__file__).parents[3]
#: Writes endings one after the other, and tells each number when it is on the disk.
WRITER = """
import asyncio, sys
from flows.service.transports.json_lines import JsonLines
from tests.service.receivers import an_ending

async def write():
    for number in range(int(sys.argv[2]), 100_000):
        await JsonLines(directory=sys.argv[1]).send([an_ending(number)])
        print(number, flush=True)

asyncio.run(write())
"""


def rows(directory: Path, day: str = "2026-11-26") -> list[str]:
    """Return the ids that the file of a day has, in order."""
    return [json.loads(line)["id"] for line in (directory / f"{day}.jsonl").read_text(encoding="utf-8").splitlines()]


def ids(*numbers: int) -> list[str]:
    """Return the ids of the reports of endings."""
    return [an_ending(number).report_id for number in numbers]


async def test_a_file_a_day(tmp_path: Path) -> None:
    """By the day in UTC on which the job ended, so that a later try finds the same file."""
    eastern = timezone(timedelta(hours=9))
    late = an_ending(2, ended=datetime(2026, 11, 27, 8, 0, tzinfo=eastern))
    next_day = an_ending(3, ended=datetime(2026, 11, 27, 0, 0, tzinfo=UTC))
    await JsonLines("audit", directory=tmp_path / "a" / "b", on={"done"}).send([an_ending(1), late, next_day])
    assert rows(tmp_path / "a" / "b") == ids(1, 2)
    assert rows(tmp_path / "a" / "b", "2026-11-27") == ids(3)


async def test_a_second_try_writes_no_second_line(tmp_path: Path) -> None:
    """It looks for the line first; the id in another ending's payload is none."""
    told = JsonLines(directory=tmp_path, include={"payload"})
    tempting = an_ending(1, payload={"a": f'\n{{"id":"{an_ending(2).report_id}",'})
    await told.send([tempting])
    await told.send([an_ending(2, again=True), an_ending(1, again=True)])
    await told.send([an_ending(2, again=True)])
    assert rows(tmp_path) == ids(1, 2)


async def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    """What a crash has left: the line was never told to be there, so it is written again."""
    told = JsonLines(directory=tmp_path)
    await told.send([an_ending(1)])
    file = tmp_path / "2026-11-26.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:-1] + b" " * 200_000)
    await told.send([an_ending(2)])
    assert rows(tmp_path) == ids(1, 2)
    file.write_bytes(whole[:20])
    await told.send([an_ending(1, again=True)])
    assert file.read_bytes() == whole


def test_a_writer_that_is_killed(tmp_path: Path) -> None:
    """`kill -9` in the midst of writing: what was told to be there is there, and every line is one."""
    told: list[int] = []
    for _ in range(scaled(1, full=10)):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(len(told))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        while len(told) % 20 != 19:
            told.append(int(process.stdout.readline()))
        process.kill()
        told += map(int, process.stdout.read().split())
        process.wait()
        process.stdout.close()
        # The last one may be there without having been told: it is tried again.
        asyncio.run(JsonLines(directory=tmp_path).send([an_ending(len(told), again=True)]))
        told.append(len(told))
    assert told == list(range(len(told)))
    assert rows(tmp_path) == ids(*told)


async def test_many_at_the_same_time(tmp_path: Path) -> None:
    """The file's lock lets one write at a time: no line stands within another."""
    endings = [an_ending(number, payload={"text": "x" * 10_000}) for number in range(60)]
    told = JsonLines(directory=tmp_path, include={"payload"})
    await asyncio.gather(*(told.send(endings[start : start + 3]) for start in range(0, 60, 3)))
    assert sorted(rows(tmp_path)) == sorted(ids(*range(60)))


async def test_an_attempt_that_is_over_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waits for the lock cannot be stopped; when it gets it, another try has the ending."""
    waits, lock = threading.Event(), fcntl.flock

    def locked(file: IO[bytes], how: int) -> None:
        waits.set()
        lock(file, how)

    told = JsonLines(directory=tmp_path)
    await told.send([an_ending(1)])
    with (tmp_path / "2026-11-26.jsonl").open("rb") as file:
        lock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(fcntl, "flock", locked)
        sending = asyncio.ensure_future(told.send([an_ending(2)]))
        await asyncio.to_thread(waits.wait)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    await told.send([an_ending(2, again=True)])
    await asyncio.get_running_loop().shutdown_default_executor()
    assert rows(tmp_path) == ids(1, 2)


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the line stays, and it is tried again."""
    told = JsonLines(directory=tmp_path)
    await told.send([an_ending(1)])
    written: list[int] = []

    def full(descriptor: int, data: memoryview) -> int:
        if written:
            raise OSError(28, "No space left on device")
        written.append(real(descriptor, data[:10]))
        return written[0]

    real = os.write
    monkeypatch.setattr(json_lines.os, "write", full)
    with pytest.raises(NotSent, match="No space left") as refused:
        await told.send([an_ending(2)])
    assert not refused.value.for_good
    monkeypatch.undo()
    assert rows(tmp_path) == ids(1)
    assert (tmp_path / "2026-11-26.jsonl").read_bytes().endswith(b"\n")


async def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    """It may be mended: tried again."""
    (tmp_path / "file").touch()
    with pytest.raises(NotSent, match=r"Not a directory|File exists") as refused:
        await JsonLines(directory=tmp_path / "file").send([an_ending()])
    assert not refused.value.for_good
    with pytest.raises(DeclarationError, match="the path of a directory"):
        JsonLines(directory="")
