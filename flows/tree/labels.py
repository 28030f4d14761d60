"""Texts by which instances are found: realms, names, and labels, which are texts by names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.errors import ValidationError
from flows.model.arguments import check_text
from flows.model.texts import writable

#: An instance has so many labels at most.
_MOST: Final = 32
#: Each text has so many characters at most: databases keep them in columns and in indexes.
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


def check_caption(what: str, value: object) -> str:
    """Return a realm or a name that every database can keep.

    Raises:
        ValidationError: it is no text, or too long, or has a character that some cannot keep.
    """
    text = check_text(what, value)
    if len(text) > _LONGEST:
        raise ValidationError(f"{what} has {len(text)} characters: give {_LONGEST} at most")
    if "\0" in text or writable(text) != text:
        raise ValidationError(f"{what}={text!r:.80} has a NUL or what UTF-8 cannot hold: leave it out")
    return text
