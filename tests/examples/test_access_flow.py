"""The access example as its user runs it: real processes, small lists, a private server."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows.store.embedded import EmbeddedServer
from tests.ready_python import ReadyPython
from tests.scale import scaled
from tests.waiting import blocking_until

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "access_flow.py"
#: So many wallets has a run that is stopped.
MANY = scaled(1_000, full=4_000)
# A run that is resumed may have to wait for the leases of the one that was killed, which is half a minute.
pytestmark = pytest.mark.timeout(300)
#: Two wallets.
A, B = f"0x{10:040x}", f"0x{11:040X}"
#: Seconds after which something that should happen has not happened.
PATIENCE = 60.0


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Name a data directory for the server and the runs; the environment names no other server."""
    directory = tmp_path / "data"
    monkeypatch.setenv("FLOWS_DATA_DIR", str(directory))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("FLOWS_REDIS_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    yield directory
    EmbeddedServer(directory).stop()


#: Runs the example to its end.
Access = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def access(python: ReadyPython) -> Access:
    """Run the example to its end."""
    return partial(python.run, EXAMPLE, limit=200)


def begin(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start the example."""
    command = [sys.executable, str(EXAMPLE), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the one JSON object on stdout of a run that went well, without its seconds."""
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report.pop("seconds") > 0
    return report


def address(number: int) -> str:
    """Make an address."""
    return f"0x{number:040x}"


def write(file: Path, amounts: dict[str, float]) -> Path:
    """Write a list."""
    file.write_text(json.dumps(amounts), encoding="utf-8")
    return file


def ledger(data_dir: Path, query: str) -> list[Any]:
    """Ask the ledger of the only run."""
    (file,) = data_dir.glob("access/*/ledger.sqlite3")
    with closing(sqlite3.connect(file, timeout=PATIENCE)) as connection:
        return connection.execute(query).fetchall()


def told(data_dir: Path) -> Counter[str]:
    """Return who was told how often by the outbox, to a reader who drops repeated keys."""
    (file,) = data_dir.glob("access/*/outbox.jsonl")
    notices = {line["key"]: line for line in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    return Counter(notice["address"] for notice in notices.values())


def poll(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until it holds, as long as the process lives."""

    def holds() -> bool:
        held = condition()
        assert held or process.poll() is None, process.communicate()
        return held

    blocking_until(holds, PATIENCE)


def through(data_dir: Path, table: str) -> int:
    """Count the rows of a table of the ledger; none before it is there."""
    try:
        return int(ledger(data_dir, f"SELECT COUNT(*) FROM {table}")[0][0])  # noqa: S608 - our own tables
    except (ValueError, sqlite3.OperationalError):
        return 0


def test_without_arguments_it_shows_the_sample(access: Access, data_dir: Path) -> None:
    """The bar goes to stderr; stdout has a row with count and share for each list, and the rates."""
    done = access()
    assert done.returncode == 0, done.stderr
    rows = [line.split("│")[1:4] for line in done.stdout.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["community", "40", "45.5%"],
        ["traveler", "60", "68.2%"],
    ]
    assert "88 wallets in " in done.stdout
    assert "child jobs a second" in done.stdout
    assert "88/88" in done.stderr
    assert through(data_dir, "memberships") == 100


def test_counts_and_ledger_agree(access: Access, data_dir: Path, tmp_path: Path) -> None:
    """Exact counts; the ledger holds these memberships and no others; who has access is told once."""
    members = write(tmp_path / "members.json", {address(n): n for n in range(100, 130)})
    holders = tmp_path / "holders.csv"
    # The same wallets in another spelling: the case of a 0x address is a checksum.
    rows = (f"{address(n).upper().replace('X', 'x')},{n}.5" for n in range(120, 160))
    holders.write_text("\n".join(["address,amount", *rows]), encoding="utf-8")
    roles = ("--role", "member=members", "--role", "whale=holders:150.5", "--role", "both=members:125,holders:125")
    report = report_of(access("--wallets", members, holders, *roles, "--json"))
    member = {("member", address(n)) for n in range(100, 130)}
    whale = {("whale", address(n)) for n in range(150, 160)}
    both = {("both", address(n)) for n in range(125, 130)}
    assert report == {
        "wallets": 60,
        "roles": {"member": 30, "whale": 10, "both": 5},
        "jobs": 60,
        "children": 60 * 4 + 45 + 40,
        "failed": 0,
    }
    found = [(role, owner.lower()) for role, owner in ledger(data_dir, "SELECT role, address FROM memberships")]
    assert sorted(found) == sorted(member | whale | both)
    assert sorted(owner.lower() for owner in told(data_dir).elements()) == sorted(
        {owner for _, owner in member | whale}
    )


def test_limit_takes_the_first_wallets(access: Access, data_dir: Path, tmp_path: Path) -> None:
    """Of 30 wallets, 7 are looked at; the ledger has the first seven."""
    members = write(tmp_path / "members.json", {address(n): n for n in range(30)})
    report = report_of(access("--wallets", members, "--limit", "7", "--json"))
    assert (report["wallets"], report["jobs"], report["roles"]) == (7, 7, {"members": 7})
    owners = ledger(data_dir, "SELECT address FROM memberships ORDER BY address")
    assert owners == [(address(n),) for n in range(7)]


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    "text",
    [
        f'"HolderAddress","Balance","PendingBalanceUpdate"\n"{A}","1,234.5","No"\n"{B}","7","No"\n',
        f"Rank;Wallet;Quantity;Percentage\n1;{A};1234.5;99.4%\n2;{B};7;0.6%\n",
        f"{A},1234.5\n{B},7\n",
        f"amount\tpaid\taddress\n1234.5\t1\t{A}\n7\t2\t{B}\n",
        f"\ufeffName , OWNER , tokens held\nAnn , {A} , 1234.5\nBob,{B},7\n",
        "address,amount\nalice.eth,1234.5\nbob.eth,7\n",
        "8XtR2zQvKeyJvY3pF4WbLcMnDsHgTuPq1A2B3C4D5E6F,1234.5\n9XtR2zQvKeyJvY3pF4WbLcMnDsHgTuPq1A2B3C4D5E6F,7\n",
    ],
)
def test_lists_are_read_as_other_tools_export_them(access: Access, tmp_path: Path, text: str) -> None:
    """Columns are known by what they hold, whatever their names and order, the delimiter, and with no header too."""
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    report = report_of(access("--wallets", tmp_path / "list.csv", "--role", "whale=list:1234.5", "--json"))
    assert (report["wallets"], report["roles"], report["failed"]) == (2, {"whale": 1}, 0)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("missing.json", None, "No such file"),
        ("broken.json", '{"0xa": 1', "this is no json"),
        ("array.json", '["0xa"]', "no JSON object"),
        ("latin.json", b'{"0xa\xe4": 1}', "this is no json"),
        ("negative.json", '{"0xa": -1}', "the amount of 0xa is negative: -1"),
        ("text.json", '{"0xa": "5"}', "the amount of 0xa is no number: '5'"),
        ("nan.json", '{"0xa": NaN}', "the amount of 0xa is no number: nan"),
        ("truth.json", '{"0xa": true}', "the amount of 0xa is no number: True"),
        ("twice.json", '{"0xa": 1, "0xb": 2, "0xa": 3}', "0xa is there 2 times"),
        ("spelled.json", '{"0xa": 1, "0xA": 3}', "0xa, 0xA is there 2 times"),
        ("headless.csv", "0xa,5\n", "columns address and amount"),
        ("empty.csv", "", "columns address and amount"),
        ("words.csv", "address,amount\n0xa,many\n", "the amount of 0xa is no number: 'many'"),
        ("short.csv", "address,amount\n0xa\n", "the amount of 0xa is no number: None"),
        ("nobody.csv", "address,amount\n,5\n", "a wallet has no address"),
        ("two.csv", f"from,to,amount\n{A},{B},5\n", "from, to all hold wallets: let its first line name the columns"),
        ("shares.csv", f"wallet,won,lost\n{A},1,2\n", "won, lost all hold numbers: let its first line name"),
        ("amountless.csv", f"wallet\n{A}\n", "in no column every value is one of numbers"),
        ("wallets.txt", "0xa 5", "a .json or a .csv file"),
    ],
)
@pytest.mark.usefixtures("data_dir")
def test_a_bad_list_is_refused(
    access: Access, tmp_path: Path, name: str, text: str | bytes | None, message: str
) -> None:
    """The message names the file and the fault, the status is 2, and there is neither a run nor a server."""
    if text is not None:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    good = write(tmp_path / "good.json", {"0xa": 1})
    done = access("--wallets", good, tmp_path / name, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"access_flow: {tmp_path / name}: " in done.stderr
    assert message in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("role", ["vip", "vip=", "vip=nobody", "vip=good:x", "vip=good:-1", "vip=good,"])
def test_a_bad_role_is_refused(access: Access, data_dir: Path, tmp_path: Path, role: str) -> None:
    """The message repeats it, the status is 2, and nothing is begun."""
    done = access("--wallets", write(tmp_path / "good.json", {"0xa": 1}), "--role", role)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"access_flow: --role {role}: " in done.stderr
    assert not data_dir.exists()


@pytest.mark.scale
@pytest.mark.parametrize("table", ["jobs", "results"])
def test_a_killed_run_is_resumed(access: Access, data_dir: Path, tmp_path: Path, table: str) -> None:
    """Killed while it creates jobs, or later, it goes on as one run: no wallet is lost, none is doubled."""
    members = write(tmp_path / "members.json", {address(n): n for n in range(3 * MANY // 4)})
    holders = write(tmp_path / "holders.json", {address(n): n for n in range(3 * MANY // 5, MANY)})
    asked = ("--wallets", members, holders, "--json")
    killed = begin(*asked)
    poll(killed, lambda: through(data_dir, table) >= MANY // 10)
    killed.kill()
    killed.communicate()
    assert 0 < through(data_dir, table) < MANY
    refused = access(*asked, "--limit", "5", "--resume")
    assert refused.returncode == 2
    assert "leave --resume out" in refused.stderr

    report = report_of(access(*asked, "--resume"))

    assert report == {
        "wallets": MANY,
        "roles": {"members": 3 * MANY // 4, "holders": 2 * MANY // 5},
        "jobs": MANY,
        "children": MANY * 2 + 23 * MANY // 20 + MANY,
        "failed": 0,
    }
    found = ledger(data_dir, "SELECT role, address FROM memberships")
    expected = [("members", address(n)) for n in range(3 * MANY // 4)]
    expected += [("holders", address(n)) for n in range(3 * MANY // 5, MANY)]
    assert sorted(found) == sorted(expected)
    assert told(data_dir) == Counter(address(n) for n in range(MANY))


def test_a_run_is_resumed_only_with_its_own_lists(access: Access, data_dir: Path, tmp_path: Path) -> None:
    """By its id: a list that has changed is refused; a finished run just reports again."""
    members = write(tmp_path / "members.json", {address(n): n for n in range(20)})
    first = access("--wallets", members, "--json")
    (run,) = (directory.name for directory in (data_dir / "access").iterdir())
    assert f"run {run} " in first.stderr
    assert report_of(access("--wallets", members, "--json", "--resume", run)) == report_of(first)
    write(members, {address(n): n for n in range(21)})
    refused = access("--wallets", members, "--json", "--resume", run)
    assert refused.returncode == 2
    assert f"run {run} was begun with other terms" in refused.stderr
    unknown = access("--wallets", members, "--json", "--resume", "never")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert through(data_dir, "results") == 20


def test_an_interrupt_stops_it_and_says_how_to_go_on(access: Access, data_dir: Path, tmp_path: Path) -> None:
    """Ctrl-C: what is in flight is finished, the status is 130, and the hint names the run, which then ends well."""
    members = write(tmp_path / "members.json", {address(n): n for n in range(MANY)})
    process = begin("--wallets", members, "--json")
    poll(process, lambda: through(data_dir, "results") >= 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    (run,) = (directory.name for directory in (data_dir / "access").iterdir())
    assert (process.returncode, out) == (130, "")
    assert f"--resume {run}" in err
    assert report_of(access("--wallets", members, "--json", "--resume", run))["roles"] == {"members": MANY}


def test_failed_wallets_are_counted(access: Access, data_dir: Path, tmp_path: Path) -> None:
    """Where the outbox cannot be written every notice fails: the run ends, says so, and a resumed one makes it good."""
    members = write(tmp_path / "members.json", {address(n): n for n in range(600)})
    process = begin("--wallets", members, "--json")
    poll(process, lambda: through(data_dir, "jobs") >= 1)
    (directory,) = (data_dir / "access").iterdir()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    finished = through(data_dir, "results")
    outbox, aside = directory / "outbox.jsonl", directory / "aside"
    if outbox.exists():
        outbox.rename(aside)
    outbox.mkdir()
    failed = access("--wallets", members, "--json", "--resume")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["failed"] == 600 - finished
    outbox.rmdir()
    if aside.exists():
        aside.rename(outbox)
    report = report_of(access("--wallets", members, "--json", "--resume"))
    assert (report["roles"], report["failed"]) == ({"members": 600}, 0)
    assert told(data_dir) == Counter(address(n) for n in range(600))
