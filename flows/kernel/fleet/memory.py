"""How much memory this process has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Linux: numbers of pages, the second of which are resident.
_STATM: Final = Path("/proc/self/statm")


def resident_bytes() -> int | None:
    """Return the memory that this process has, in bytes; None where the system does not say."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
