"""Finds the two columns of a CSV list, by their names or by what they hold: lists come as other tools export them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path

#: Wallets as chains write them: hexadecimal (Ethereum and its kin), base58 (Bitcoin, Solana), bech32, and names.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{32,44}|(bc|tb|cosmos|osmo|addr)1[0-9a-z]{20,}|\S+\.eth")
#: A number, also one with commas between its thousands.
_AMOUNT = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?")
_DELIMITERS = ",;\t|"
#: Where several columns hold what is looked for, the one with such a name is meant.
_ADDRESS_NAMES = re.compile(r"address|wallet|holder|owner|account")
_AMOUNT_NAMES = re.compile(r"amount|balance|quantity|tokens|holding")


class UnclearColumns(ValueError):
    """The columns cannot be told apart; the message says what was found."""


def read_columns(file: Path) -> list[tuple[str, str | None]]:
    """Return the address and the amount of each line.

    Columns that are called `address` and `amount` are taken. Else the address is the column of which every value is a
    wallet, and the amount the one of which every value is a number; the first line may be a header or a wallet already.

    Raises:
        UnclearColumns: no column holds one of them, or more than one does.
        OSError, UnicodeDecodeError, csv.Error: the file cannot be read.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        lines.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        rows = [row for row in csv.reader(lines, delimiter=delimiter, strict=True) if row]
    if not rows:
        raise UnclearColumns("it is empty: it has to have columns address and amount")
    names = [name.strip().lower() for name in rows[0]]
    if {"address", "amount"} <= set(names):
        return _taken(rows[1:], names.index("address"), names.index("amount"))
    has_header = not any(_is_address(cell) for cell in rows[0])
    names = names if has_header else [""] * len(names)
    body = rows[1:] if has_header else rows
    address = _only("wallets", _ADDRESS_NAMES, names, body, _is_address)
    return _taken(body, address, _only("numbers", _AMOUNT_NAMES, names, body, _is_amount))


def _taken(body: Sequence[Sequence[str]], address: int, amount: int) -> list[tuple[str, str | None]]:
    most = max(address, amount)
    padded = ([*row, *[""] * (most + 1 - len(row))] if len(row) <= most else row for row in body)
    return [(row[address], _plain(row[amount])) for row in padded]


def _only(
    what: str,
    usual: re.Pattern[str],
    names: Sequence[str],
    body: Sequence[Sequence[str]],
    holds: Callable[[str], bool],
) -> int:
    """Return the one column of which every value is what is looked for."""
    columns = [at for at in range(len(names)) if body and all(at < len(row) and holds(row[at]) for row in body)]
    named = [at for at in columns if usual.search(names[at])]
    found = named if len(named) == 1 else columns
    if len(found) == 1:
        return found[0]
    which = ", ".join(names[at] or f"column {at + 1}" for at in columns)
    seen = f"{which} all hold {what}" if columns else f"in no column every value is one of {what}"
    raise UnclearColumns(f"{seen}: let its first line name the columns address and amount")


def _plain(cell: str) -> str | None:
    """Return an amount without the commas between its thousands; None where there is none."""
    text = cell.strip()
    return (text.replace(",", "") if _AMOUNT.fullmatch(text) else text) or None


def _is_address(cell: str) -> bool:
    return _ADDRESS.fullmatch(cell.strip()) is not None


def _is_amount(cell: str) -> bool:
    return _AMOUNT.fullmatch(cell.strip()) is not None
