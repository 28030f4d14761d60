"""What every command takes: which server, how to print, and as whom to ask."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter
from pydantic import ValidationError

from flows.api import Admin, Caller
from flows.errors import DeclarationError

#: Environment variables that take rights from whoever asks. They guard against slips: who has the server's address can
#: do everything anyway.
ROLE_VARIABLE: Final = "FLOWS_ROLE"
ONLY_VARIABLE: Final = "FLOWS_ONLY"
HIDE_VARIABLE: Final = "FLOWS_HIDE"

_GROUP: Final = Group("Everywhere", sort_key=100)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class Options:
    """The options of every command."""

    redis_url: Annotated[
        str | None, Parameter(help="Which server; else FLOWS_REDIS_URL, REDIS_URL, or the embedded one.")
    ] = None
    namespace: Annotated[str, Parameter(help="What stands before every key.")] = ""
    json: Annotated[bool, Parameter(negative="", help="Print JSON: one object, or of a list one object a line.")] = (
        False
    )

    def admin(self) -> Admin:
        """Return what to ask, as whoever runs the command.

        Raises:
            DeclarationError: the URL, the namespace or what the environment says of the caller cannot be used.
        """
        return Admin(self.redis_url, self.namespace, caller(), via="cli")


NO_OPTIONS: Final = Options()


def caller() -> Caller:
    """Return who runs the command: an operator of all flows, unless the environment says less.

    Raises:
        DeclarationError: it says what cannot be.
    """
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no such user, in a container
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    only, hide = os.environ.get(ONLY_VARIABLE), os.environ.get(HIDE_VARIABLE, "")
    try:
        return Caller.model_validate(
            {
                "name": f"{user}@{socket.gethostname()}"[:200],
                "role": os.environ.get(ROLE_VARIABLE) or "operator",
                "flows": None if only is None else frozenset(only.split(",")),
                "hide": frozenset(filter(None, hide.split(","))),
            }
        )
    except ValidationError as error:
        raise DeclarationError(f"{ROLE_VARIABLE}: {error.errors()[0]['msg']}") from None
