"""What `import flows` offers: the names in `__all__`, all of them and no others."""

from __future__ import annotations

import inspect
from types import ModuleType

import flows

#: What the language leaves in a module beside our names.
NOT_OURS = {"annotations"}


def test_all_is_what_can_be_imported() -> None:
    """`flows.__all__` is sorted and names what the package offers, no more and no less."""
    offered = {
        name
        for name, value in vars(flows).items()
        if not name.startswith("_") and name not in NOT_OURS and not isinstance(value, ModuleType)
    }
    assert list(flows.__all__) == sorted(flows.__all__)
    assert {name for name in flows.__all__ if not name.startswith("__")} == offered
    assert [name for name in flows.__all__ if not hasattr(flows, name)] == []


def test_every_public_class_and_function_is_documented() -> None:
    """Each has a docstring of its own: neither inherited nor written by `dataclass`."""
    undocumented = []
    for name in flows.__all__:
        value = getattr(flows, name)
        if inspect.isclass(value) or inspect.isroutine(value):
            text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
            if not text or text.startswith(f"{name}("):
                undocumented.append(name)
    assert undocumented == []
