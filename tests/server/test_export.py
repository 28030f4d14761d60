"""Files of jobs: whole, page by page, harmless in a spreadsheet, and by the rights of who asks."""

from __future__ import annotations

import csv
import io
import json
from typing import Literal

import pytest
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, QueueOptions
from flows.api import Caller
from flows.server import create_app
from flows.server.export import Exports, cell_of
from tests.api.conftest import Left
from tests.api.shop import CANARY
from tests.server.conftest import Callers
from tests.server.serving import Serving, serving

PATH = "/export/jobs"


class Sheet(BaseModel):
    """What a hostile user gives."""

    name: str = ""


class Read(Job):
    """A sheet that is read."""

    name: str


async def test_a_file_holds_all_that_a_query_finds(open_server: Serving, left: Left) -> None:
    """In both forms, as an attachment that no browser shows."""
    params = {"q": "flow:shop state:failed"}
    async with open_server.client() as client:
        answer = await client.get(PATH, params=params)
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert {row["id"] for row in rows} == {left.ids["failed"], left.ids["failed2"]}
        assert {(row["state"], row["lookups.user_id"]) for row in rows} == {("failed", "7")}
        assert answer.headers["content-disposition"] == 'attachment; filename="jobs-shop.csv"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        answer = await client.get(PATH, params={**params, "format": "jsonl"})
        assert [json.loads(line)["id"] for line in answer.text.splitlines()] == [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"q": "flow:shop", "format": "xls"}, 422),
        ({"q": "flow:shop colour:red"}, 422),
        ({"q": "flow:nothing"}, 404),
        ({"q": "flow:shop", "redirect": "https://evil.example"}, 422),
    ],
)
async def test_what_is_wrong_is_told_before_a_file_begins(
    open_server: Serving, params: dict[str, str], status: int
) -> None:
    """With a status, and not as a file that is broken."""
    async with open_server.client() as client:
        answer = await client.get(PATH, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_file_holds_what_its_reader_may_see(server: Serving, callers: Callers, left: Left) -> None:
    """A hidden field is no column and in no cell; another flow's reader, nobody and a second guess are refused."""
    async with server.client(callers.tokens["hugo"]) as client:
        for kind in ("csv", "jsonl"):
            answer = await client.get(PATH, params={"q": "flow:shop", "format": kind})
            assert left.ids["passed"] in answer.text
            assert CANARY not in answer.text
            assert "lookups.email" not in answer.text
        assert (await client.get(PATH, params={"q": f"flow:shop email:{CANARY}"})).status_code == 403
    for token, status in ((callers.tokens["otto"], 403), (None, 401), (callers.tokens["dora"], 401)):
        async with server.client(token) as client:
            assert (await client.get(PATH, params={"q": "flow:shop"})).status_code == status


async def test_who_may_do_nothing_gets_no_file(left: Left) -> None:
    """The role is asked for, as with each operation."""
    app = create_app(left.url, left.namespace, auth=lambda _connection: Caller(name="x", role="nobody"))
    async with serving(app) as server, server.client() as client:
        assert (await client.get(PATH, params={"q": "flow:shop"})).status_code == 403


async def test_pages_follow_each_other_and_end(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job once, over many pages, and no more than the most; so many files at a time, and then 429."""
    monkeypatch.setattr("flows.server.export._PAGE", 2)
    options = FlowOptions(
        "sheets",
        [QueueOptions("sheets-read", job=Read)],
        lookup_attributes=["name"],
        redis_url=redis_url,
        namespace=namespace,
    )
    flow = Flow[Read, Sheet, Literal["name"]](options)
    names = ['=HYPERLINK("https://evil.example")', "+1", "-1+cmd|'/c calc'!A0", "@SUM(A1)", "\t=1", 'plain, "x"\n=2']
    ids = await flow.create_jobs([Sheet(name=name) for name in names])
    await flow.stop_all()
    async with serving(create_app(redis_url, namespace)) as server, server.client() as client:
        rows = list(csv.DictReader(io.StringIO((await client.get(PATH, params={"q": "flow:sheets"})).text, newline="")))
        assert {row["id"]: row["lookups.name"] for row in rows} == {
            job_id: name if name.startswith("plain") else f"'{name}" for job_id, name in zip(ids, names, strict=True)
        }
        monkeypatch.setattr("flows.server.export.MOST_JOBS", 3)
        answer = await client.get(PATH, params={"q": "flow:sheets", "format": "jsonl"})
        assert len(answer.text.splitlines()) == 3
        monkeypatch.setattr("flows.server.export.MOST_AT_ONCE", 0)
        assert (await client.get(PATH, params={"q": "flow:sheets"})).status_code == 429


async def test_a_file_that_is_over_frees_its_place(open_server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was refused."""
    monkeypatch.setattr("flows.server.export.MOST_AT_ONCE", 1)
    async with open_server.client() as client:
        for query, status in (("flow:shop", 200), ("flow:nothing", 404), ("flow:shop", 200)):
            assert (await client.get(PATH, params={"q": query})).status_code == status
    assert Exports()._running == 0


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_a_text_that_looks_like_a_formula_is_a_text(sign: str) -> None:
    """And a number stays one."""
    assert cell_of(f"{sign}1") == f"'{sign}1"
    assert cell_of(-1) == -1
    assert cell_of(None) is None
    assert cell_of("a=1") == "a=1"
