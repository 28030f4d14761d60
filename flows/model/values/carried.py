"""What a job carries: small texts that middleware gives it, and that go with it through every queue and to children."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from flows.errors import PayloadTooLarge, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The field of the job's hash; a job that carries nothing has none.
CARRIED: Final = "_carried"
#: So many bytes of JSON at most: every claim of the job reads them, and each of its children has them too.
MOST_CARRIED: Final = 4_096
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def carried_fields(carried: object) -> dict[str, bytes]:
    """Return the field that holds what a job carries; no field where that is nothing.

    Raises:
        ValidationError: it is no dict of texts.
        PayloadTooLarge: it takes more than `MOST_CARRIED` bytes.
    """
    if not isinstance(carried, dict):
        raise ValidationError(f"carried={carried!r}: give a dict of texts")
    texts: dict[object, object] = carried  # pyright: ignore[reportUnknownVariableType]
    if not texts:
        return {}
    for name, text in texts.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise ValidationError(f"carried[{name!r}] = {text!r}: what a job carries are texts, by names")
    try:
        raw = to_json(texts)
    except ValueError as error:  # half of a surrogate pair
        raise ValidationError(f"carried is not JSON: {error}") from error
    if len(raw) > MOST_CARRIED:
        raise PayloadTooLarge(
            f"what the job carries ({', '.join(map(str, texts))}) takes {len(raw):,} bytes, over {MOST_CARRIED:,}: "
            "carry an id, and keep the rest where it leads to"
        )
    return {CARRIED: raw}


def carried_of(raw: bytes | None) -> Mapping[str, str]:
    """Return what a job carries, from the field of its hash; nothing where that was edited into something else."""
    if raw is None or len(raw) > MOST_CARRIED:
        return _NOTHING
    try:
        texts: Any = from_json(raw)
    except ValueError:
        return _NOTHING
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return _NOTHING
    return MappingProxyType(texts)  # pyright: ignore[reportUnknownArgumentType]
