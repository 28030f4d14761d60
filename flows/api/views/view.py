"""What all answers of operations are: frozen models, which write themselves as plain JSON."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

#: A value as JSON has it.
Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


class View(BaseModel):
    """An answer, or a part of one; instants are in UTC, durations in seconds unless their names say otherwise."""

    model_config = ConfigDict(frozen=True)


class Acted(View):
    """What came of an action."""

    word: str
    """One word, that of the transition: `retried`, `cancelled`, `paused`, …"""
    flow: str | None = None
    id: str | None = None
    queue: str | None = None
