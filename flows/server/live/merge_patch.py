"""Makes the JSON merge patch (RFC 7396) that turns one state into another; a state has no null members."""

from __future__ import annotations

from typing import Any


def without_nulls(value: Any) -> Any:
    """Return a JSON value whose objects have no null members, at any depth: to a merge patch, null means "take it out".

    The elements of arrays stay, nulls as well: an array is replaced as a whole.
    """
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return value


def merge_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that makes `new` of `old`; it is empty where they are equal.

    Args:
        old: A state without null members, as `without_nulls` returns it.
        new: Another.
    """
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, member in new.items():
        before = old.get(name)
        if isinstance(member, dict) and isinstance(before, dict):
            if changed := merge_patch(before, member):
                patch[name] = changed
        elif name not in old or before != member or type(before) is not type(member):
            patch[name] = member
    return patch


def apply_patch(state: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return what a state becomes by a merge patch; the state itself is left as it is."""
    merged = dict(state)
    for name, member in patch.items():
        if member is None:
            merged.pop(name, None)
        elif isinstance(member, dict):
            before = merged.get(name)
            merged[name] = apply_patch(before if isinstance(before, dict) else {}, member)
        else:
            merged[name] = member
    return merged
