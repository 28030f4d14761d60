"""The grammar of names; how declarations use it is tested in `tests/typing/test_run_time.py`."""

from __future__ import annotations

import re
import string
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import DeclarationError, ValidationError
from flows.model.ids import new_job_id
from flows.model.job import RESERVED_FIELDS
from flows.model.names import FIELD, PLACES, check_child_name, check_instance_id, check_job_id, check_name, is_job_id

ALLOWED = string.ascii_letters + string.digits + "_.-"
names = st.text(ALLOWED, min_size=1, max_size=64)


@given(names)
def test_each_name_of_the_grammar_is_taken_as_it_is(name: str) -> None:
    """All of 1 to 64 of the allowed characters."""
    assert check_name("queue", name) == name


@given(st.text().filter(lambda text: not text or len(text) > 64 or set(text) - set(ALLOWED)))
def test_every_other_text_is_refused(name: str) -> None:
    """The message says which kind of name it is, and shows it so that a control character can be seen."""
    with pytest.raises(DeclarationError) as caught:
        check_name("queue", name)
    assert str(caught.value).startswith(f"queue name {name!r}: use 1 to 64 of the characters")


@given(names, st.text(min_size=1, max_size=1).filter(lambda character: character not in ALLOWED), st.integers(0, 64))
def test_one_other_character_is_enough(name: str, character: str, at: int) -> None:
    """At the end as well, where a newline would slip through a careless pattern."""
    with pytest.raises(DeclarationError):
        check_name("flow", name[:at] + character + name[at:])


@given(names.filter(lambda name: name not in PLACES and not is_job_id(name)))
def test_a_child_may_have_any_name_but_a_places_or_a_jobs(name: str) -> None:
    """Those that have are refused with the reason."""
    assert check_child_name(name) == name


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_child_is_not_called_like_a_place(place: str) -> None:
    """Its keys would be those of its parent; another case is another name."""
    with pytest.raises(DeclarationError, match="is a place of every queue"):
        check_child_name(place)
    assert check_child_name(place.upper()) == place.upper()


def test_a_child_is_not_called_like_a_job() -> None:
    """`job:<parent>:<child>` would be the key of a job of its parent."""
    with pytest.raises(DeclarationError, match="looks like a job id"):
        check_child_name(new_job_id())


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("01900000-0000-7000-8000-000000000000", True),
        ("01900000-0000-7000-8000-00000000000F", True),
        ("01900000-0000-7000-8000-000000000000\n", False),
        ("0190000000007000800000000000000f", False),
        ("{01900000-0000-7000-8000-000000000000}", False),
        ("01900000-0000-7000-8000-00000000000g", False),
        ("", False),
        (None, False),
        (b"01900000-0000-7000-8000-000000000000", False),
    ],
)
def test_a_job_id_is_a_bare_uuid(text: object, answer: bool) -> None:  # noqa: FBT001 - a table
    """In its usual form, and nothing around it: what is none is refused, and shown."""
    assert is_job_id(text) is answer
    if answer:
        assert check_job_id(text) == str(text).lower()  # as ids are written
        assert check_job_id(UUID(str(text))) == str(text).lower()
    else:
        with pytest.raises(ValidationError, match=re.escape(f"{text!r} is no job id")):
            check_job_id(text)
        with pytest.raises(ValidationError, match=re.escape(f"{text!r} is no id of an instance: those are UUIDs")):
            check_instance_id(text)


@pytest.mark.parametrize("name", ["_a", "1a", "", "a-b", "a.b", "a b", "ä", "a\n", "a:b"])
def test_a_field_begins_with_a_letter_and_goes_on_like_a_name_in_python(name: str) -> None:
    """The kernel's own fields begin with `_`, so no user's does."""
    assert FIELD.fullmatch(name) is None


def test_the_page_on_flows_lists_the_reserved_names() -> None:
    """All of those that jobs, results and records have themselves, and no others."""
    page = Path(__file__).resolve().parents[2] / "docs" / "flows.md"
    listed = page.read_text("utf-8").split("may be called")[1].split(". A")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == RESERVED_FIELDS
