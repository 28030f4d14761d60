"""The page of the command line is that of the commands that there are."""

from __future__ import annotations

from flows.api import operations
from tests.cli.reference import PAGE, page


def test_the_page_is_up_to_date() -> None:
    """Else: `python -m tests.cli.reference` writes it anew."""
    written = PAGE.read_text("utf-8")
    assert page(written) == written


def test_each_operation_is_a_command_of_the_page() -> None:
    """None is without its row."""
    written = PAGE.read_text("utf-8")
    missing = [
        name
        for name, operation in operations().items()
        if f"**`flows {operation.group} {operation.verb.replace('_', '-')}`**" not in written
    ]
    assert missing == []
