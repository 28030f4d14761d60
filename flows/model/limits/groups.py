"""The text by which a group is known: the JSON of its value, as it stands in the hashes of its jobs."""

from __future__ import annotations

import hashlib
from typing import Final

from pydantic_core import to_json

from flows.errors import ValidationError

#: A longer one stands as its digest: scripts have the same number.
_MOST_BYTES: Final = 200


def group_text(value: object) -> str:
    """Return the text of a group, by the value that its jobs have.

    Raises:
        ValidationError: it is neither a str nor an int.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValidationError(f"group={value!r:.80}: give the value of the field by which the queue is grouped")
    try:
        text = to_json(value)
    except ValueError as error:
        raise ValidationError(f"group={value!r:.80} is no text: {error}") from error
    if len(text) > _MOST_BYTES:
        return hashlib.sha1(text, usedforsecurity=False).hexdigest()
    return text.decode()
