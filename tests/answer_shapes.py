"""Compares answers of scripts with the shapes that their headers tell, and makes up answers of a shape."""

from __future__ import annotations

from typing import Any

from flows.store.client.lua_shape import Shape


def mismatch(shape: Shape, words: tuple[str, ...], value: Any) -> str:
    """Return what in an answer is not as its shape says, or nothing."""
    if shape.kind not in {"list", "array"}:
        return "" if _fits(shape.kind, words, value) else f"{shape.name}: {value!r} is no {shape.kind}"
    if not isinstance(value, list):
        return f"{shape.name}: {value!r} is no array"
    if shape.kind == "list":
        parts = list(shape.parts) * len(value)
    else:
        parts = list(shape.parts)
        least = sum(not part.optional for part in parts)
        if not least <= len(value) <= len(parts):
            return f"{shape.name}: {value!r} has not {least} to {len(parts)} elements"
    found = (mismatch(part, words, element) for part, element in zip(parts, value, strict=False))
    return next(filter(None, found), "")


def _fits(kind: str, words: tuple[str, ...], value: Any) -> bool:
    text = value.decode() if isinstance(value, bytes) else value
    if kind == "int":
        return isinstance(value, int)
    if kind == "text":
        return isinstance(text, str | None)
    if kind == "word+":
        text = str(text).partition(" ")[0]
    return kind == "any" or text in words


def sample(shape: Shape, word: str, length: int = 1) -> Any:
    """Return an answer of this shape, as a connection returns it: with this word, and so many elements in its lists."""
    if shape.kind == "int":
        return 0
    if shape.kind in {"text", "any"}:
        return b"1"
    if shape.kind in {"word", "word+"}:
        return word.encode()
    parts = [sample(part, word, length) for part in shape.parts]
    return parts * length if shape.kind == "list" else parts
