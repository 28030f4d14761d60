"""What is mailed: the rows of a file, and what the processes of the mailer know of each other."""

from __future__ import annotations

import csv
import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from flows import FlowsError

#: What is mailed where no file is given.
SAMPLE: Final = Path(__file__).with_name("mails.csv")
#: The types of jobs: that of a row is its number modulo three, from 0 on. And by what each fails.
KINDS: Final = ("confirmation", "invoice", "reminder")
ERRORS: Final = {"confirmation": "unknown-address", "invoice": "no-invoice", "reminder": "paid-already"}
#: The types of which the daily report tells.
REPORTED: Final = frozenset({"confirmation", "invoice"})
#: Where the secret stands by which webhooks are signed.
HOOK_SECRET: Final = "MAILER_HOOK_SECRET"  # noqa: S105 - its name
_COLUMNS: Final = ("order", "to", "tenant", "fails")


class BadOrders(FlowsError):
    """The file cannot be mailed; the message says why, and what to change."""


class Row(BaseModel):
    """A mail to send."""

    kind: str
    order: str
    to: str
    tenant: str
    fails: bool


class Settings(BaseModel):
    """What the worker process is told, and the process that starts it has."""

    namespace: str
    """Before every key: mails of a run that was killed are no part of the next one."""
    redis_url: str | None
    directory: Path
    """Where the worker notes that it works, and logs."""
    hook: str
    """The receiver of webhooks."""
    smtp_port: int
    """The mail server of this machine."""
    work: float = 0.02
    """How long a mail takes, in seconds."""
    kills: int = 2
    """How often the worker is killed; the last mail is not sent before."""
    leaks: bool = False
    """Whether results hold the token of their tenant: a control of what looks for it."""

    @property
    def busy(self) -> Path:
        """The file that says how many jobs run now."""
        return self.directory / "busy"

    @property
    def killed(self) -> Path:
        """The file that has a byte for each time that the worker was killed."""
        return self.directory / "killed"

    @property
    def log(self) -> Path:
        """What the worker processes log."""
        return self.directory / "log"


def read_rows(file: Path) -> list[Row]:
    """Read the file: a table with the columns order, to, tenant and fails (yes or no); others are left out.

    Raises:
        BadOrders: it cannot be read, has no rows, or one that is no mail.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            found = list(csv.DictReader(lines))
    except (OSError, UnicodeError, csv.Error) as error:
        raise BadOrders(f"{file}: it cannot be read: {error}") from error
    missing = [name for name in _COLUMNS if not found or name not in found[0]]
    if missing:
        raise BadOrders(f"{file}: it has no rows, or no column {missing[0]!r}: give {', '.join(_COLUMNS)}")
    return [_row(file, number, one) for number, one in enumerate(found)]


def make_secrets(tenants: list[str]) -> dict[str, str]:
    """Make a token for each tenant and a secret for webhooks; return where each stands in the environment, and it."""
    made = {token_of(number): f"token-{secrets.token_hex(16)}" for number in range(len(tenants))}
    made[HOOK_SECRET] = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    os.environ.update(made)
    return made


def token_of(number: int) -> str:
    """Return where the token of a tenant stands."""
    return f"MAILER_TOKEN_{number}"


def _row(file: Path, number: int, found: dict[str, str | None]) -> Row:
    order, to, tenant, fails = ((found.get(name) or "").strip() for name in _COLUMNS)
    if not order or not to or not tenant or fails not in {"yes", "no"}:
        raise BadOrders(f"{file}: row {number + 1} has an empty column, or fails is not yes or no: {found}")
    return Row(kind=KINDS[number % 3], order=order, to=to, tenant=tenant, fails=fails == "yes")
