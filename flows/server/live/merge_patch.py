"""Makes the JSON merge patch (RFC 7396) that turns one state into another.

A merge patch replaces an array as a whole, and takes out what it has as null. So a state has no null members, and a
list of things that have names is an object by name, with their order.
"""

from __future__ import annotations

from typing import Any, Final, TypeGuard

#: The member with the names in their order, of a list of things that have names.
ORDER: Final = "#order"


def as_state(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value in the form that patches well, at any depth.

    Null members are left out. A list of objects that have each an `id` of its own, or else a `name`, or a number `n`,
    becomes `{"#order": [...], "<id>": {...}}`.
    """
    if _is_object(value):
        return {name: as_state(member) for name, member in value.items() if member is not None}
    if _is_array(value):
        members = [as_state(member) for member in value]
        names = _names(members)
        return members if names is None else {ORDER: names, **dict(zip(names, members, strict=True))}
    return value


def _same(one: object, other: object) -> bool:
    """Whether two values are the same in JSON, which tells 1 from true."""
    if _is_array(one) and _is_array(other):
        return len(one) == len(other) and all(map(_same, one, other))
    if _is_object(one) and _is_object(other):
        return one.keys() == other.keys() and all(_same(member, other[name]) for name, member in one.items())
    return type(one) is type(other) and one == other


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _names(members: list[Any]) -> list[str] | None:
    """Return the name of each member, where each has one of its own."""
    if not members or not all(isinstance(member, dict) for member in members):
        return None
    for key in ("id", "name", "n"):
        kind = int if key == "n" else str
        names = [str(member[key]) for member in members if type(member.get(key)) is kind]
        if len(set(names)) == len(members) and ORDER not in names:
            return names
    return None


def merge_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the patch that makes `new` of `old`; it is empty where they are equal.

    Args:
        old: A state, as `as_state` returns it.
        new: Another.
    """
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, member in new.items():
        before = old.get(name)
        if _is_object(member) and _is_object(before):
            if changed := merge_patch(before, member):
                patch[name] = changed
        elif name not in old or not _same(before, member):
            patch[name] = member
    return patch


def apply_patch(state: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return what a state becomes by a merge patch; the state itself is left as it is."""
    merged = dict(state)
    for name, member in patch.items():
        if member is None:
            merged.pop(name, None)
        elif _is_object(member):
            before = merged.get(name)
            merged[name] = apply_patch(before if _is_object(before) else {}, member)
        else:
            merged[name] = member
    return merged
