"""A wall clock that a test moves, for one process and its children: a shim that is loaded before the C library.

It adds an offset that it reads from a mapped file to the wall clock; the monotonic clock is left alone. It asks the
kernel directly and never allocates: a shim that allocates meets the server's allocator, which asks for the time while
it sets itself up, and the server aborts.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final, Self

#: The variable that names the file of the offset.
VARIABLE: Final = "FLOWS_FAULTS_CLOCK"

_SOURCE: Final = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *offset_ms;

__attribute__((constructor)) static void find_offset(void)
{
    const char *path = getenv("FLOWS_FAULTS_CLOCK");
    int fd = path ? open(path, O_RDONLY) : -1;
    if (fd < 0) return;
    void *mapped = mmap(0, 8, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED) offset_ms = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    long word = syscall(SYS_clock_gettime, clock, at);
    if (word == 0 && offset_ms && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        long long ns = at->tv_nsec + (*offset_ms % 1000) * 1000000LL;
        at->tv_sec += *offset_ms / 1000;
        if (ns < 0) { ns += 1000000000LL; at->tv_sec--; }
        if (ns >= 1000000000LL) { ns -= 1000000000LL; at->tv_sec++; }
        at->tv_nsec = ns;
    }
    return (int) word;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    (void) zone;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) { at->tv_sec = now.tv_sec; at->tv_usec = now.tv_nsec / 1000; }
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


def clock_available() -> bool:
    """Whether clocks can be moved here: on Linux, with a C compiler."""
    return sys.platform == "linux" and _compiler() is not None


class Clock:
    """The wall clock of the processes that are started with `environment`."""

    def __init__(self, directory: Path) -> None:
        compiler = _compiler()
        if not clock_available() or compiler is None:
            raise RuntimeError("no C compiler: clocks cannot be moved")
        directory.mkdir(parents=True, exist_ok=True)
        source, shim, offset = (directory / f"clock.{suffix}" for suffix in ("c", "so", "offset"))
        source.write_text(_SOURCE)
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", shim, source]
        subprocess.run(command, check=True, capture_output=True)
        offset.write_bytes(bytes(8))
        with offset.open("r+b") as file:
            self._offset = mmap.mmap(file.fileno(), 8)
        self.environment: dict[str, str] = {"LD_PRELOAD": str(shim), VARIABLE: str(offset)}

    def shift(self, ms: int) -> None:
        """Set the clock to what it would be, and so many milliseconds; at once, also in processes that run."""
        self._offset[:] = struct.pack("=q", ms)

    def close(self) -> None:
        """Give the mapping back."""
        self._offset.close()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Give the mapping back."""
        self.close()


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
