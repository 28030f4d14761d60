"""The site import as its user runs it: real processes, a worker that is killed, a private server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows.store.embedded import EmbeddedServer
from flows.tree import MemoryIndex, MemoryStorage, SyncBackend, Tree, Trees
from import_site import count
from import_terms import SAMPLE, BadSource, Page, Settings, Site, read_site
from import_tree import Published, Work, make_site, task_name
from tests.ready_python import ReadyPython
from tests.waiting import LONG

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "import_site.py"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Name a data directory for the server, and no other server."""
    named = {name: text for name, text in os.environ.items() if name not in {"FLOWS_REDIS_URL", "REDIS_URL"}}
    yield {**named, "FLOWS_DATA_DIR": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path)}
    EmbeddedServer(tmp_path / "data").stop()


#: Runs the example to its end.
Import = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def import_site(python: ReadyPython, environment: dict[str, str]) -> Import:
    """Run the example to its end."""
    return partial(python.run, EXAMPLE, environment=environment, limit=110)


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the one JSON object on stdout of a run that went well, without its seconds."""
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report.pop("seconds") > 0
    return report


def test_nothing_that_has_ended_runs_again_though_the_worker_is_killed(import_site: Import) -> None:
    """Of ten pages five have images; a page that changes makes its parsing, the index and what is published stale."""
    site = read_site(SAMPLE)
    drawn = sum(bool(page.images) for page in site.pages)
    assert (len(site.pages), drawn) == (10, 5)
    assert report_of(import_site("--crash", "2", "--json")) == {
        "tasks": 23,
        "ok": 18,
        "skipped": 5,
        "failed": 0,
        "stale_after_update": 3,
        "rerun": 3,
        "rerun_after_end": 0,
        "kills": 2,
        "progress": 1.0,
    }


async def test_a_source_of_the_users_own(tmp_path: Path) -> None:
    """Other members are ignored; no page has images; two are called as what comes of all pages."""
    pages = [
        {"path": f"/{name}", "text": f"all of {name}", "images": [], "more": 1} for name in ("index", "host", "a-b")
    ]
    file = tmp_path / "site.json"
    file.write_text(json.dumps({"url": "http://x.example/y", "pages": pages, "made": "today"}), encoding="utf-8")
    work = Work(Settings(namespace="", redis_url=None, directory=tmp_path, pace=0.01, max_crashes=3))
    async with Trees("imports", backend=SyncBackend(), storage=MemoryStorage(), index=MemoryIndex()) as trees:

        @trees.generator("import-site")
        def import_it(data: Site) -> Tree:
            return make_site(work, data)

        instance = await import_it.create(read_site(file))
        state = await (await instance.execute_all()).wait(LONG)
        assert (count(state), state.progress) == ({"tasks": 9, "ok": 6, "skipped": 3, "failed": 0}, 1.0)
        published = await instance.result("#.publish", Published)
    assert (published.host, published.words, published.thumbnails) == ("x.example", 6, 0)


def test_a_source_that_cannot_be_is_refused(import_site: Import, tmp_path: Path) -> None:
    """The status is 2, stdout is empty, and no server was started."""
    done = import_site("--source", tmp_path / "site.json", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such file" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Invalid JSON"),
        ('{"url": "x", "pages": []}', "pages: List should have at least 1 item"),
        ('{"url": "x", "pages": [{"path": "/"}]}', r"pages\.0\.text: Field required"),
        ('{"url": "x", "pages": [{"path": "/", "text": ""}, {"path": "/", "text": ""}]}', "page / is there 2 times"),
    ],
)
def test_what_is_no_site_is_told(tmp_path: Path, text: str, message: str) -> None:
    """By the place in the file, and what is wrong there."""
    file = tmp_path / "site.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSource, match=message):
        read_site(file)


def test_pages_have_names_of_their_own() -> None:
    """A path that is its name is found in it; of others no two are called alike, and none is an identifier."""
    paths = ["/a/b", "/a-b", "/a.b", "/", "//", "/ä", "/ö", "/index", "/" + "x" * 60, "/" + "x" * 61]
    names = [task_name(Page(path=path, text="")) for path in paths]
    assert (names[0], names[7]) == ("page-a-b", "page-index")
    assert len(set(names)) == len(names)
    assert not any(name.isidentifier() for name in names)
    assert all(len(name) <= 64 for name in names)
