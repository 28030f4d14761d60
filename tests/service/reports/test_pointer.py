"""JSON pointers, by the examples of RFC 6901 and beyond them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import DeclarationError
from flows.service.reports.pointer import Pointer

OF_THE_RFC: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", OF_THE_RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_the_rfc(text: str, value: object) -> None:
    """Each of section 5."""
    assert Pointer(text).find(OF_THE_RFC) == value


@pytest.mark.parametrize("text", ["/none", "/foo/2", "/foo/-", "/foo/00", "/foo/-1", "/foo/x", "/foo/0/x", "/c%d/x"])
def test_what_is_not_there_is_none(text: str) -> None:
    """A job without a result has empty cells, and no error."""
    assert Pointer(text).find(OF_THE_RFC) is None


@pytest.mark.parametrize("text", ["foo", "foo/bar", "#/foo", "/a~2b", "/a~", 5, None])
def test_what_is_no_pointer_is_refused(text: Any) -> None:
    """When it is declared."""
    with pytest.raises(DeclarationError, match="is no JSON pointer"):
        Pointer(text)


@given(st.lists(st.text(), max_size=4), st.integers())
def test_every_name_can_be_pointed_to(names: list[str], value: int) -> None:
    """Whatever characters it has, once slashes and tildes are written as the RFC says."""
    document: Any = value
    for name in reversed(names):
        document = {name: document}
    text = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
    assert Pointer(text).find(document) == value
