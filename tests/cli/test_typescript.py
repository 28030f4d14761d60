"""The types that `clients/react` is built with are those of the operations as they are now."""

from __future__ import annotations

from pathlib import Path

from flows.cli.typescript import typescript

TYPES = Path(__file__).parents[2] / "clients" / "react" / "src" / "types.ts"


def test_the_committed_types_are_of_now() -> None:
    """Else: `flows types --ts > clients/react/src/types.ts`."""
    assert TYPES.read_text(encoding="utf-8") == typescript()
