"""A run and its directory: what was asked, the ledger, and the outbox. It outlives the process that works on it."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from access_ledger import Ledger
from access_terms import BadTerms, Requirement, Terms, same

TERMS, LEDGER, OUTBOX = "run.json", "ledger.sqlite3", "outbox.jsonl"


class Run:
    """One run, as its directory holds it."""

    def __init__(self, directory: Path) -> None:
        self.id = directory.name
        self.directory = directory
        self.terms = Terms.model_validate_json((directory / TERMS).read_bytes())
        self.wallets = self.terms.wallets()
        self.ledger = Ledger(directory / LEDGER)
        self._balances = {
            name: {same(address): amount for address, amount in amounts.items()}
            for name, amounts in self.terms.lists.items()
        }

    @property
    def finished(self) -> bool:
        """Whether every wallet is through."""
        return self.ledger.settled()[0] == len(self.wallets)

    def meets(self, address: str, requirement: Requirement) -> bool:
        """Whether a wallet is on the requirement's list with at least its minimum."""
        balance = self._balances[requirement.list_name].get(same(address))
        return balance is not None and balance >= requirement.minimum

    def notify(self, address: str, roles: list[str], key: str) -> None:
        """Put a notice into the outbox.

        A worker that dies between this line and the end of its job leaves the job to another one, which writes the
        line again, with the same key: whoever reads the outbox drops the lines whose key was there before.
        """
        line = json.dumps({"key": key, "address": address, "roles": roles}) + "\n"
        # One write to a file that is opened for appending: lines of other threads and processes stay whole.
        outbox = os.open(self.directory / OUTBOX, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(outbox, line.encode())
        finally:
            os.close(outbox)


class Runs:
    """The runs of one state directory, each in a directory of its own that is named by the run's id."""

    def __init__(self, state: Path) -> None:
        self.state = state
        #: Open a run. Workers ask for the run of their job: it may be one that another process began.
        self.open = lru_cache(maxsize=None)(self._open)

    def begin(self, terms: Terms) -> Run:
        """Make a new run; its id says when it began."""
        directory = self.state / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        directory.mkdir(parents=True)
        (directory / "new").write_text(terms.model_dump_json(), encoding="utf-8")
        (directory / "new").replace(directory / TERMS)  # at once: no run is there by half
        return self.open(directory.name)

    def resume(self, terms: Terms, run_id: str) -> Run:
        """Return the run with this id, or where it is empty the newest one of the same terms that is not finished.

        Raises:
            BadTerms: there is none, or it was begun with other terms.
        """
        if run_id:
            run = self.open(run_id)
            if run.terms != terms:
                asked = (
                    f"roles {', '.join(run.terms.roles)}; lists {', '.join(run.terms.lists)}; limit {run.terms.limit}"
                )
                raise BadTerms(f"run {run_id} was begun with other terms ({asked}) or the lists have changed since")
            return run
        begun = sorted((file.parent.name for file in self.state.glob(f"*/{TERMS}")), reverse=True)
        for run in map(self.open, begun):
            if run.terms == terms and not run.finished:
                return run
        raise BadTerms(f"no run with these lists and roles is unfinished in {self.state}: leave --resume out")

    def _open(self, run_id: str) -> Run:
        if Path(run_id).name != run_id or not (self.state / run_id / TERMS).is_file():
            raise BadTerms(f"there is no run {run_id!r} in {self.state}")
        return Run(self.state / run_id)
