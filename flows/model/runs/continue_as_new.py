"""`ContinueAsNew`: what a workflow raises to begin anew with other input, and without the steps that it has taken."""

from __future__ import annotations


class ContinueAsNew(Exception):
    """The same run goes on with other input, and without any of its steps: for loops that never end.

    Raised or returned by a workflow's function. What its steps had to undo is forgotten with them.

    Args:
        input: The new input; nothing where the workflow takes none.
    """

    def __init__(self, input: object = None) -> None:  # noqa: A002 - as everywhere in workflows
        super().__init__("the run continues as new")
        self.input = input
