"""Token-gated access, as guild platforms do it: for each wallet, which roles does it have?

A wallet is a job. Its requirements are checked beside each other, its roles are decided, each role is recorded, the
wallet is told, and the result is kept. With no arguments it takes the small lists in `wallets/`; see --help.

This file has the worker functions and the pipeline. Its neighbours have what the jobs look like (`access_jobs`), how
they are created and waited for (`access_drive`), and what is asked, kept and shown (`access_terms`, `access_run`,
`access_ledger`, `access_report`, `access_screen`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from access_drive import carry_out
from access_jobs import (
    AccessFlow,
    CheckAccess,
    Checked,
    CheckRequirement,
    Conclude,
    Decide,
    Decided,
    ManageReward,
    Notify,
    Prepare,
    Prepared,
    Record,
    Recorded,
)
from access_report import Report
from access_run import Runs
from access_terms import BadTerms, read_terms
from flows import ChildJob, FlowOptions, FlowsError, QueueOptions, Retention, current_job
from flows.config import data_directory

try:
    import uvloop
except ImportError:
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    loop_factory = uvloop.new_event_loop

#: What shows how many wallets are through, and what shows the report.
Display: TypeAlias = tuple[AbstractContextManager[Callable[[int], None]], Callable[[Report], None]]

#: The lists that are taken where none are given.
SAMPLE = sorted((Path(__file__).parent / "wallets").glob("*.*"))


class Workers:
    """The worker functions. A job carries the id of its run, and all else is found in the run's directory."""

    def __init__(self, runs: Runs) -> None:
        self._run = runs.open

    async def prepare(self, job: Prepare) -> Prepared:
        """Name the requirements to check, each of them once."""
        requirements = self._run(job.run).terms.requirements()
        about = {"run": job.run, "address": job.address}
        return Prepared(children=[ChildJob(CheckRequirement, {**about, "requirement": each}) for each in requirements])

    async def check(self, job: CheckRequirement) -> Checked:
        """Look the wallet up in a list."""
        return Checked(requirement_met=self._run(job.run).meets(job.address, job.requirement))

    async def decide(self, job: Decide) -> Decided:
        """Grant the roles whose requirements are all met; each is recorded by a child, and one tells the wallet."""
        terms = self._run(job.run).terms
        answers = zip(terms.requirements(), job.checks, strict=True)
        met = {requirement for requirement, check in answers if check.result and check.result.requirement_met}
        roles = terms.granted(met)
        about = {"run": job.run, "address": job.address}
        children = [ChildJob(Record, {**about, "role": role}) for role in roles]
        if roles:
            children.append(ChildJob(Notify, {**about, "roles": roles}))
        return Decided(roles=roles, children=children)

    def record(self, job: Record) -> Recorded:
        """Record a membership. It is a plain function, so it runs in a thread: SQLite may make it wait."""
        return Recorded(new=self._run(job.run).ledger.grant(job.role, job.address))

    def notify(self, job: Notify) -> None:
        """Tell the wallet; the key is the same in every attempt, so that the reader can drop a repetition."""
        self._run(job.run).notify(job.address, job.roles, current_job().idempotency_key)

    def conclude(self, job: Conclude) -> None:
        """Keep that the wallet is through."""
        children = len(job.checks) + len(job.records) + len(job.notices)
        self._run(job.run).ledger.settle(job.address, children)


def access_flow(runs: Runs, redis_url: str | None = None, concurrency: int = 32) -> AccessFlow:
    """Declare the pipeline and create its workers; nothing is connected yet."""
    flow = AccessFlow(
        FlowOptions(
            name="access",
            lookup_attributes=["run", "address"],
            queues=[
                QueueOptions("access-preparation", job=Prepare, next_queue="access-check"),
                QueueOptions(
                    "access-check",
                    job=CheckAccess,
                    next_queue="access-logic",
                    children=[QueueOptions("requirement", job=CheckRequirement)],
                    on_child_failure="fail",  # a requirement that could not be checked is no "no"
                ),
                QueueOptions("access-logic", job=Decide, next_queue="manage-reward"),
                QueueOptions(
                    "manage-reward",
                    job=ManageReward,
                    next_queue="access-result",
                    children=[QueueOptions("ledger", job=Record), QueueOptions("notify", job=Notify)],
                    on_child_failure="fail",
                ),
                QueueOptions("access-result", job=Conclude),
            ],
            redis_url=redis_url,
            retention=Retention(done=timedelta(hours=1)),
            lease=timedelta(seconds=5),  # so long after a kill, the jobs that were in flight are taken up again
        )
    )
    workers = Workers(runs)
    flow.create_workers(Prepare, workers.prepare, concurrency=concurrency)
    flow.create_parent_workers(CheckAccess, concurrency=concurrency)
    flow.create_child_workers(CheckAccess, CheckRequirement, workers.check, concurrency=concurrency)
    flow.create_workers(Decide, workers.decide, concurrency=concurrency)
    flow.create_parent_workers(ManageReward, concurrency=concurrency)
    flow.create_child_workers(ManageReward, Record, workers.record, concurrency=concurrency)
    flow.create_child_workers(ManageReward, Notify, workers.notify, concurrency=concurrency)
    flow.create_workers(Conclude, workers.conclude, concurrency=concurrency)
    return flow


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    asked = read_arguments(arguments)
    runs = Runs(asked.state)
    try:
        terms = read_terms(asked.wallets, asked.role, asked.limit)
        bar, show = quiet() if asked.json else screen(len(terms.wallets()))
        run = runs.begin(terms) if asked.resume is None else runs.resume(terms, asked.resume)
    except (BadTerms, OSError) as error:
        print(f"access_flow: {error}", file=sys.stderr)
        return 2
    print(f"run {run.id} in {run.directory}", file=sys.stderr)
    logging.basicConfig(filename=run.directory / "run.log", level=logging.INFO, format="%(asctime)s %(message)s")
    again = f"go on with the same arguments and --resume {run.id}"
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner, bar as tell:
            flow = access_flow(runs, asked.redis, asked.concurrency)
            report = runner.run(carry_out(flow, run, tell))
    except KeyboardInterrupt:
        print(f"stopped: {again}", file=sys.stderr)
        return 130
    except FlowsError as error:
        print(f"access_flow: {error}\n{again}", file=sys.stderr)
        return 1
    finally:
        run.ledger.close()
    show(report)
    return 1 if report.failed else 0


def screen(wallets: int) -> Display:
    """Show a bar and a table.

    Raises:
        BadTerms: they cannot be drawn here.
    """
    try:
        import access_screen  # noqa: PLC0415 - with --json, nobody needs rich
    except ImportError as error:
        raise BadTerms(f"{error}: pip install 'typed-flows[examples]', or add --json") from error
    return access_screen.bar(wallets), access_screen.show


def quiet() -> Display:
    """Show nothing but one JSON object in the end."""

    def tell(_through: int) -> None:
        pass

    return nullcontext(tell), lambda report: print(report.json())


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="access_flow", description="For each wallet, which roles does it have?")
    add = parser.add_argument
    add("--wallets", nargs="+", type=Path, default=SAMPLE, metavar="FILE", help="lists of address and amount")
    add("--role", action="append", default=[], metavar="NAME=LIST[:MIN],…", help="all of these make the role")
    add("--limit", type=positive, metavar="N", help="look at the first N wallets only")
    add("--concurrency", type=positive, default=32, metavar="N", help="jobs that a worker runs at once (%(default)s)")
    add("--redis", metavar="URL", help="the server; else FLOWS_REDIS_URL, REDIS_URL, and then the embedded one")
    add("--state", type=Path, default=data_directory() / "access", metavar="DIR", help="where runs are: %(default)s")
    add(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with it, or with the newest unfinished one like this",
    )
    add("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """Read a number that is at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


if __name__ == "__main__":
    sys.exit(main())
