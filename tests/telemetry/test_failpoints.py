"""Failpoints: inert without an order; with one, a real process ends, stops, sleeps or raises where it was told to."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.telemetry import failpoints
from flows.telemetry.failpoints import POINTS, VARIABLE, InjectedFault, arm, failpoint
from tests.waiting import LONG

ROOT = Path(__file__).resolve().parents[2]

#: Passes the point three times and says so: under the orders of the environment, or, in a child each, under its
#: arguments.
PROGRAM = """
import os, sys, time
from flows.telemetry.failpoints import InjectedFault, arm, failpoint

def pass_three_times():
    for _ in range(3):
        begun = time.monotonic()
        try:
            failpoint("before-renew")
        except InjectedFault as fault:
            print("raised", fault, flush=True)
        else:
            print("passed", "late" if time.monotonic() - begun >= 0.05 else "at once", flush=True)
        failpoint("in-rescue")

if len(sys.argv) == 1:
    pass_three_times()
for order in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        arm(order)
        pass_three_times()
        os._exit(0)
    print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    """Take all orders back, whatever a test has ordered."""
    yield
    arm("")


def process(order: str, *orders: str) -> subprocess.Popen[str]:
    """Start the program with an order in its environment, and with others as its arguments."""
    environment = {**os.environ, VARIABLE: order}
    command = [sys.executable, "-c", PROGRAM, *orders]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


AT_ONCE = ["passed at once"]

#: By order: what the process says, and with which status it ends.
ORDERS: dict[str, tuple[list[str], int]] = {
    "": (AT_ONCE * 3, 0),
    "after-fan-out=kill": (AT_ONCE * 3, 0),
    "before-renew=kill": ([], -signal.SIGKILL),
    "before-renew=kill@3": (AT_ONCE * 2, -signal.SIGKILL),
    "before-renew=abort@2": (AT_ONCE, -signal.SIGABRT),
    "before-renew=raise": (["raised before-renew"] * 3, 0),
    "before-renew=raise@2": ([*AT_ONCE, "raised before-renew", *AT_ONCE], 0),
    "before-renew=sleep:0.05": (["passed late"] * 3, 0),
    " before-renew=sleep:0.05@1 ; in-rescue=kill@2;": (["passed late", *AT_ONCE], -signal.SIGKILL),
}


def test_each_order_in_a_process() -> None:
    """What is ordered happens at the point and at the passage that were named, and else nothing."""
    with process("", *ORDERS) as ordered:
        said, errors = ordered.communicate(timeout=LONG)
    assert ordered.returncode == 0, errors
    found: list[tuple[list[str], int]] = []
    lines: list[str] = []
    for line in said.splitlines():
        if line.startswith("status"):
            found.append((lines, int(line.split()[1])))
            lines = []
        else:
            lines.append(line)
    assert dict(zip(ORDERS, found, strict=True)) == ORDERS


def test_a_process_that_is_stopped() -> None:
    """The environment orders it to stand still at a point, until it is woken; then it goes on."""
    with process("before-renew=stop@2") as stopped:
        _pid, status = os.waitpid(stopped.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert stopped.stdout is not None
        assert stopped.stdout.readline() == "passed at once\n"
        stopped.send_signal(signal.SIGCONT)
        said, _errors = stopped.communicate(timeout=LONG)
    assert (len(said.splitlines()), stopped.returncode) == (2, 0)


def test_an_order_that_cannot_be_read_ends_the_process() -> None:
    """A fault test that misspells a point shall not pass for want of a fault: importing flows fails."""
    with process("befor-renew=kill") as refused:
        said, errors = refused.communicate(timeout=LONG)
    assert (said, refused.returncode) == ("", 1)
    assert errors.splitlines()[-1].startswith(f"ValueError: {VARIABLE} names 'befor-renew'; the points are after-claim")


@pytest.mark.parametrize("order", ["nowhere=kill", "kill", "=kill", "before-renew=kill;nowhere=kill"])
def test_unknown_points_are_refused(order: str) -> None:
    """And what was ordered before still holds, nothing of the new order does."""
    arm("in-rescue=raise")
    with pytest.raises(ValueError, match=r"the points are after-claim-reply, after-fan-out, "):
        arm(order)
    failpoint("before-renew")
    with pytest.raises(InjectedFault):
        failpoint("in-rescue")


def test_they_are_disarmed() -> None:
    """A new order replaces all earlier ones, and the empty one leaves none."""
    arm("before-renew=raise")
    arm("in-rescue=raise")
    failpoint("before-renew")
    with pytest.raises(InjectedFault, match="in-rescue"):
        failpoint("in-rescue")
    arm("")
    for point in POINTS:
        failpoint(point)
    assert failpoints._armed == {}


def test_every_point_is_passed_somewhere() -> None:
    """The list of points and the calls in the package name the same."""
    passed = {
        node.args[0].value
        for path in (ROOT / "flows").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "failpoint"
        and isinstance(node.args[0], ast.Constant)
    }
    assert passed == POINTS
