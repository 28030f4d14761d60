"""What a run is asked: lists of wallets, read and checked, and the roles that stand on them."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from pydantic import BaseModel

from access_columns import UnclearColumns, read_columns

#: Wallets of one list, as they are spelled there, and the amount that each of them holds.
Amounts = dict[str, float]


class BadTerms(Exception):
    """What was asked cannot be done; the message says where it is wrong. Nothing has been queued."""


class Requirement(BaseModel, frozen=True):
    """To be on a list with at least a minimum."""

    list_name: str
    minimum: float = 0.0


class Terms(BaseModel, frozen=True):
    """The lists, the roles, and how many of the wallets to look at (None: all)."""

    lists: dict[str, Amounts]
    roles: dict[str, list[Requirement]]
    limit: int | None = None

    def wallets(self) -> list[str]:
        """Every wallet once, in the order and the spelling in which the lists name it first."""
        first: dict[str, str] = {}
        for amounts in self.lists.values():
            for address in amounts:
                first.setdefault(same(address), address)
        return list(first.values())[: self.limit]

    def requirements(self) -> list[Requirement]:
        """Every requirement once, however many roles have it."""
        return list(dict.fromkeys(requirement for needed in self.roles.values() for requirement in needed))

    def granted(self, met: Collection[Requirement]) -> list[str]:
        """Return the roles whose requirements are all met."""
        return [role for role, needed in self.roles.items() if all(requirement in met for requirement in needed)]


def same(address: str) -> str:
    """Return what two spellings of one wallet share: in 0x addresses, upper and lower case are only a checksum."""
    return address.lower() if address[:2].lower() == "0x" else address


def read_terms(files: Iterable[Path], roles: Iterable[str], limit: int | None) -> Terms:
    """Read the lists and the roles; without roles there is one for each list.

    Raises:
        BadTerms: one of them cannot be used.
    """
    lists: dict[str, Amounts] = {}
    for file in files:
        if file.stem in lists:
            raise BadTerms(f"{file}: there is a list {file.stem!r} already; a list is named by its file")
        lists[file.stem] = read_list(file)
    asked: dict[str, list[Requirement]] = {}
    for text in roles:
        name, needed = read_role(text, lists)
        if name in asked:
            raise BadTerms(f"--role {text}: there is a role {name!r} already")
        asked[name] = needed
    return Terms(lists=lists, roles=asked or {name: [Requirement(list_name=name)] for name in lists}, limit=limit)


def read_role(text: str, lists: Collection[str]) -> tuple[str, list[Requirement]]:
    """Read `NAME=LIST[:MIN][,LIST[:MIN]...]`.

    Raises:
        BadTerms: it is not of that form, or there is no such list.
    """
    name, _, rest = text.partition("=")
    if not name or not rest:
        raise BadTerms(f"--role {text}: write NAME=LIST[:MIN][,LIST[:MIN]...]")
    needed: list[Requirement] = []
    for part in rest.split(","):
        list_name, colon, minimum = part.partition(":")
        if list_name not in lists:
            raise BadTerms(f"--role {text}: there is no list {list_name!r}; the lists are {', '.join(lists)}")
        least = _amount(_number(minimum), f"--role {text}: the minimum") if colon else 0.0
        needed.append(Requirement(list_name=list_name, minimum=least))
    return name, needed


def read_list(file: Path) -> Amounts:
    """Read a list of address and amount: a `.json` object, or a `.csv` with a column of each.

    Raises:
        BadTerms: it cannot be read, an amount is none, or a wallet is there twice.
    """
    readers = {".json": _read_json, ".csv": _read_csv}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise BadTerms(f"{file}: a list is a .json or a .csv file")
    try:
        rows = reader(file)
    except OSError as error:
        raise BadTerms(f"{file}: {error.strerror}") from error
    except UnclearColumns as error:
        raise BadTerms(f"{file}: {error}") from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise BadTerms(f"{file}: this is no {file.suffix[1:]}: {error}") from error
    amounts: Amounts = {}
    for address, amount in rows:
        if not address.strip():
            raise BadTerms(f"{file}: a wallet has no address")
        amounts[address.strip()] = _amount(amount, f"{file}: the amount of {address}")
    _check_distinct(file, [address.strip() for address, _ in rows])
    return amounts


def _read_json(file: Path) -> list[tuple[str, object]]:
    # As pairs, not as a dict: of an address that is there twice, a dict would quietly keep the last.
    found: object = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_Pairs)
    if not isinstance(found, _Pairs):
        raise BadTerms(f'{file}: this is no JSON object of the form {{"0x…": 12.5}}')
    return found


class _Pairs(list[tuple[str, object]]):
    """A JSON object as its pairs; a list in the file is a plain list."""


def _read_csv(file: Path) -> list[tuple[str, object]]:
    return [(address, _number(amount)) for address, amount in read_columns(file)]


def _number(text: str | None) -> object:
    """Return the number that a text holds, or the text itself where it holds none."""
    try:
        return text if text is None or "_" in text else float(text)
    except ValueError:
        return text


def _amount(value: object, what: str) -> float:
    """Return an amount: finite, not negative, and in JSON no text, however much it looks like a number."""
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise BadTerms(f"{what} is no number: {value!r}")
    if number < 0:
        raise BadTerms(f"{what} is negative: {value!r}")
    return number


def _check_distinct(file: Path, addresses: list[str]) -> None:
    address, times = next(iter(Counter(map(same, addresses)).most_common(1)), ("", 0))
    if times > 1:
        spelled = ", ".join(dict.fromkeys(found for found in addresses if same(found) == address))
        raise BadTerms(f"{file}: {spelled} is there {times} times")
