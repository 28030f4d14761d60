"""The value of a group that was given as a text: the field by which a queue is grouped says whether it is a number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow

_NUMBER: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def maybe_group(known: KnownFlow, queue: str, text: str | None) -> str | int | None:
    """Return the value that a text stands for; None of no group."""
    return None if text is None else group_value(known, queue, text)


def group_value(known: KnownFlow, queue: str, text: str) -> str | int:
    """Return the value that a text stands for, by the JSON schema of the class that has the field.

    Where the flow leaves schemas out, it stands for itself.

    Args:
        known: The flow.
        queue: A full name.
        text: As it was given.
    """
    rules = known.settings.rules.get(queue)
    if rules is None or rules.group is None or not _NUMBER.fullmatch(text):
        return text
    declared = known.by_queue.get(queue)
    of = declared.job if declared is not None and ":" in queue else known.declared[0].params if known.declared else None
    schema: dict[str, Any] = (of.schema if of is not None else None) or {}
    part: dict[str, Any] = schema.get("properties", {}).get(rules.group, {})
    kinds = {one.get("type") for one in (part, *part.get("anyOf", ()))}
    return int(text) if "integer" in kinds and "string" not in kinds else text
