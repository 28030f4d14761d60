"""An app whose runs `shop.py` leaves beside its jobs: one is done, one has failed, two wait, and two are children."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from flows import Every, Step, Workflow, Workflows
from tests.waiting import until


class Book(BaseModel):
    """What a book is printed with."""

    title: str
    email: str = ""
    fail: bool = False


class Answer(BaseModel):
    """What a person says of a book."""

    good: bool


def press(url: str, namespace: str) -> tuple[Workflows[Any], Workflow[Book, str], Workflow[Book, str]]:
    """Return the app, what prints a book at once, and what asks before."""
    app = Workflows("press", redis_url=url, namespace=namespace, retention=timedelta(days=30))

    @app.define("print", lookup=["title"])
    async def print_book(book: Book, step: Step) -> str:
        return await step.run("set", _set, book)

    @app.define("ask", cron=[Every(timedelta(hours=5), id="weekly", input=Book(title="weekly"))])
    async def ask(book: Book, step: Step) -> str:
        answer = await step.wait_for_input("good", Answer, prompt=f"is {book.title} for {book.email} good?")
        return f"{answer.good}"

    @app.define("copy", max_concurrency=None)
    async def copy(number: int, step: Step) -> int:  # noqa: ARG001
        return number

    paid = app.event("paid", int)

    @app.define("copies")
    async def copies(book: Book, step: Step) -> list[int]:
        made = step.map("copies", copy, [1, 2])
        done, _paid = await asyncio.gather(made, step.wait_for_event("paid", paid, key=book.title))
        return done

    return app, print_book, ask


def _set(book: Book) -> str:
    if book.fail:
        raise ValueError(f"no paper for {book.email}")
    return f"{book.title} for {book.email}"


async def leave_runs(url: str, namespace: str, canary: str) -> dict[str, str]:
    """Leave runs of `print` and `ask`, and return their ids."""
    app, print_book, ask = press(url, namespace)
    app.create_workers(concurrency=2)
    async with app, asyncio.timeout(60):
        mapped = await app.run_by_name("copies", {"title": "zero", "email": canary})
        done = await print_book.run(Book(title="one", email=canary), tags=["first"])
        failed = await print_book.run(Book(title="two", email=canary, fail=True))
        asked = await ask.run(Book(title="three", email=canary))
        await done.result()

        async def settled() -> bool:
            copied = [(step.name, step.status) for step in await mapped.steps()]
            # Asked for after its steps: its children have put it back into its queue, and it has gone on since.
            statuses = (await failed.status(), await asked.status(), await mapped.status())
            is_there = sorted(copied) == [("copies", "done"), ("paid", "waiting")]
            return is_there and statuses == ("failed", "suspended", "suspended")

        await until(settled)
    return {"run_done": done.id, "run_failed": failed.id, "run_asked": asked.id, "run_mapped": mapped.id}
