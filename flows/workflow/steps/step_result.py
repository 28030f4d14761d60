"""What the function of a step has returned, as it is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.errors import FlowsError, PayloadTooLarge, ValidationError

if TYPE_CHECKING:
    from flows.model.runs.shape import Shape
    from flows.workflow.steps.replay import Replay


class Unstorable(FlowsError):
    """What the function returned cannot be written down; its cause says why."""


def encode_result(replay: Replay, name: str, shape: Shape[Any], value: object) -> bytes:
    """Return what a step has returned as JSON.

    Raises:
        Unstorable: it is not of the type that its function says, or too large.
    """
    try:
        raw = shape.encode(value)
        size, limit = len(raw), replay.loaded.max_payload
        if size > limit:
            raise PayloadTooLarge(
                f"the result of step {name!r} takes {size:,} bytes, over max_payload={limit:,}: store large data "
                "elsewhere and return where it is"
            )
        replay.records.check_room(size)
    except ValidationError as error:
        raise Unstorable from error
    return raw
