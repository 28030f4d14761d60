"""`flows completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flows.errors import ValidationError

if TYPE_CHECKING:
    from cyclopts import App

Shell = Literal["bash", "zsh", "fish", "powershell"]


def add_completion(app: App) -> None:
    """Add the command; the script that it prints has the commands that the app has by then."""

    def completion(
        shell: Annotated[Shell | None, Parameter(help="For which shell; that of `SHELL` where it is left out.")] = None,
    ) -> int:
        """Print the script that completes commands and options: `source <(flows completion bash)`, or save it."""
        print(app.generate_completion(prog_name="flows", shell=shell or _own()))  # noqa: T201 - what it is for
        return 0

    app.command(completion)


def _own() -> Shell:
    name = Path(os.environ.get("SHELL", "")).name
    match name:
        case "bash" | "zsh" | "fish":
            return name
        case _:
            raise ValidationError("flows completion: name the shell: bash, zsh, fish or powershell")
