"""One case from start to end: the row's function, healthy workers for what is left, the audit, the figures."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from tests.faults.auditor import Findings, audit
from tests.faults.case import Case, Row, Skipped
from tests.faults.flow_under_test import make_options
from tests.faults.ledger import Ledger
from tests.faults.trace import recoveries
from tests.waiting import patient

#: Every row shows these, in this order. Of a row's cases the first group is added up, of the others the worst counts.
SUMS: Final = ("acked", "done", "failed", "cancelled")
WORST: Final = ("runs_over_1", "effects_over_1", "lost", "stuck", "stale_accepted", "dup_ids", "ghost_ids",
                "orphan_hashes", "immortal", "repaired")  # fmt: skip
TIMES: Final = ("recovery_p50", "recovery_p95", "recovery_max", "resume", "block_max_ms")
#: These are no damage: at least once is what is promised.
HARMLESS: Final = frozenset({"runs_over_1", "effects_over_1"})
#: In the other rows data is damaged on purpose, and the reconciler has to repair it. Here it must find nothing.
UNREPAIRED: Final = ("A", "B")


@dataclass
class Result:
    """What became of one case; it is written as JSON."""

    row: str
    seed: int
    seconds: float = 0.0
    server: str = ""
    skipped: str = ""
    failures: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether all held."""
        return not self.failures


def run_case(row: Row, seed: int, directory: Path) -> Result:
    """Run one case in a directory of its own, which stays."""
    began = time.monotonic()
    result = Result(row.name, seed)
    case = None
    try:
        case = Case(row, seed, directory)
        case.server.start()
        with case.server.client() as client:
            served: Any = client.info("server")
        assert served["process_id"] == case.server.pid, "another server listens on its port"
        result.server = case.server.version
        row.function(case)
        finish(case, result)
    except Skipped as why:
        result.skipped = str(why)
    except Exception:  # noqa: BLE001 - a row that breaks is a row that fails
        result.failures.append(traceback.format_exc())
    finally:
        if case is not None:
            result.failures = case.failures + result.failures
            result.own = case.figures
            case.close()
    result.seconds = round(time.monotonic() - began, 2)
    return result


def finish(case: Case, result: Result) -> None:
    """Let healthy workers work off what is left, audit, and judge the figures."""
    acked = [entry.job_id for entry in case.entries("ACK")]
    if not case.server.running:
        case.server.start()
    case.server.thaw()
    for fleet in case.fleets:
        fleet.finish()
    left = case.wait_done(acked, 0) if case.drains else []
    if left:
        healthy = case.fleet(concurrency=16)
        healthy.spawn(2)
        case.wait_done(left, 3 * case.t_rec + len(left) / 200)
        healthy.finish()
    entries = Ledger.read(case.ledger.directory)
    with case.server.client(timeout=30.0) as client:
        options = make_options(case.server.url, lease=case.lease, **case.options)
        findings = audit(client, options, entries)
        memory: Any = client.info("memory")
    case.recovery(recoveries(entries, case.recovers_at))
    result.figures = _figures(case, findings)
    result.figures["mem_peak_mb"] = round(memory["used_memory_peak"] / 1e6, 1)
    judge(case, findings, result)


def judge(case: Case, findings: Findings, result: Result) -> None:
    """Hold the figures against what is allowed."""
    harmless = HARMLESS if case.row.name.startswith(UNREPAIRED) else HARMLESS | {"repaired"}
    for name in sorted({*findings.counts, *WORST, *case.allowed} - harmless):
        count, allowed = findings.counts[name], case.allowed.get(name, 0)
        if not (count in allowed if isinstance(allowed, range) else count == allowed):
            texts = [violation.text for violation in findings.violations if violation.kind == name]
            more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
            result.failures.append(f"{name} is {count}, not {allowed}: {'; '.join(texts[:3])}{more}")
    p95 = result.figures.get("recovery_p95")
    most = patient(case.t_rec)  # on an idle machine that is the bound itself
    if p95 is not None and p95 > most:
        result.failures.append(f"recovery p95 is {p95:.2f} s, more than {most:.2f} s")


def _figures(case: Case, findings: Findings) -> dict[str, Any]:
    figures: dict[str, Any] = {"acked": findings.acked, **{name: findings.states[name] for name in SUMS[1:]}}
    figures.update({name: findings.counts[name] for name in WORST})
    if case.recoveries:
        figures.update({f"recovery_{name}": value for name, value in spread(case.recoveries).items()})
    if "resume" in case.figures:
        figures["resume"] = round(case.figures.pop("resume"), 2)
    slow = [ms for ms, command in scripts(case)]
    figures["block_max_ms"] = round(max(slow, default=0.0), 1)
    return figures


def scripts(case: Case) -> list[tuple[float, str]]:
    """Return what the server took over a millisecond for and is a script: milliseconds and the command."""
    try:
        return [(ms, str(command)) for ms, command in case.server.slow_commands() if "EVAL" in str(command).upper()]
    except (RedisError, OSError):
        return []


def spread(samples: list[float]) -> dict[str, float]:
    """Return the median, the worst but 5 %, and the worst."""
    ordered = sorted(samples)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: round(ordered[min(int(part * len(ordered)), len(ordered) - 1)], 2) for name, part in at.items()}
