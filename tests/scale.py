"""How much a test takes of what it tests: a little with every `make test`, all of it with `make scale`.

A test of amounts carries the mark `scale` and asks `scaled` how many; `make scale` runs those that carry it. A test of
examples drawn by hypothesis is given the mark, and draws more of them.

    @pytest.mark.scale
    async def test_position_is_found_in_a_long_list(...) -> None:
        count = scaled(2_000, full=1_000_000)
"""

from __future__ import annotations

import os
from typing import Final

#: 1, or what `make scale` says.
SCALE: Final = int(os.environ.get("FLOWS_TEST_SCALE", "1"))
#: What a test of amounts may take with `make scale`, in seconds, where it does not say so itself.
PATIENCE: Final = 1_800


def scaled(count: int, *, full: int | None = None) -> int:
    """Return how many to take: `count`, or with `make scale` twenty times as many, or `full`."""
    return count if SCALE == 1 else count * SCALE if full is None else full
