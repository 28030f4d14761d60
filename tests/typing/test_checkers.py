"""What mypy --strict and pyright strict say of `*accepted.py` and `*refused.py`: one run of each over all of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REFUSED = sorted(HERE.glob("*refused.py"))
PROGRAMS = [str(path) for path in (*sorted(HERE.glob("*accepted.py")), *REFUSED)]

#: Lines with errors, as `refused.py:12`, each with the checker's words.
Errors = dict[str, str]

MARKED = {
    f"{path.name}:{number}": line.strip()
    for path in REFUSED
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    if "# refused" in line
}


def run(*command: str) -> str:
    """Run a checker over all programs and return what it prints; it fails by design."""
    environment = {**os.environ, "MYPYPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    arguments = [sys.executable, "-m", *command, *PROGRAMS]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def mypy() -> Errors:
    """Return mypy's errors, found as a user would: strict, and with no configuration of ours.

    What `make check` has found of the package is read from its cache, in a tenth of the time.
    """
    cache = ROOT / ".mypy_cache"
    output = run("mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary")
    found = re.finditer(r"^(.+?):(\d+): error: (.*)$", output, re.MULTILINE)
    return {f"{Path(match[1]).name}:{match[2]}": match[3] for match in found}


def pyright() -> Errors:
    """Return pyright's errors; each file asks for its strict mode in its first line."""
    output = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable))
    return {
        f"{Path(problem['file']).name}:{problem['range']['start']['line'] + 1}": problem["message"]
        for problem in output["generalDiagnostics"]
        if problem["severity"] == "error"
    }


def compare(errors: Errors) -> None:
    """Fail unless exactly the marked lines have errors, and say which have not, or why others have."""
    assert {line: message for line, message in errors.items() if line not in MARKED} == {}, "false alarms"
    assert {line: source for line, source in MARKED.items() if line not in errors} == {}, "accepted, not refused"


def test_mypy_accepts_the_api_and_refuses_each_mistake() -> None:
    """Mypy --strict has no word against what is accepted and finds exactly the marked lines of what is refused."""
    compare(mypy())


def test_pyright_accepts_the_api_and_refuses_each_mistake() -> None:
    """Pyright in strict mode finds the same."""
    compare(pyright())
