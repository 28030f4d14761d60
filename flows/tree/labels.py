"""Labels of instances: texts by names, by which they are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.errors import ValidationError

#: An instance has so many at most, each of so many characters.
_MOST: Final = 32
_LONGEST: Final = 256


def check_labels(labels: object) -> dict[str, str]:
    """Return labels that can be kept.

    Raises:
        ValidationError: they are no texts by names, or too many or too long.
    """
    if not isinstance(labels, Mapping):
        raise ValidationError(f"labels={labels!r:.80}: give a mapping of texts")
    given: Mapping[Any, Any] = labels  # pyright: ignore[reportUnknownVariableType]
    found = dict(given)
    for name, value in found.items():
        for text in (name, value):
            if not isinstance(text, str) or len(text) > _LONGEST:
                raise ValidationError(f"label {name!r:.80}={value!r:.80}: give texts of {_LONGEST} characters at most")
    if len(found) > _MOST:
        raise ValidationError(f"labels has {len(found)} labels: give {_MOST} at most")
    return found
