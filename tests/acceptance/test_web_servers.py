"""`flow.sync` where it is called most: in plain views of Django, under a server that forks and has threads."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.numbers import LONG, ROOT, Answer, Work, number_flow

pytest.importorskip("django")
pytest.importorskip("gunicorn")

THREADS = 8
FORKS = 4
#: A site of one view; the flow was used before the server forks.
SITE = """
import os
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from tests.acceptance.numbers import Answer, Given, number_flow

flow = number_flow({url!r}, {namespace!r}, 30)
flow.sync.create_job(Given(number=0))

def order(request, number):
    job_id = flow.sync.create_job(Given(number=number))
    done = flow.sync.wait_for(job_id, {patience})
    return JsonResponse({{"answer": done.view(Answer).answer, "process": os.getpid(), "record": done.to_dict()}})

urlpatterns = [path("<int:number>", order)]
application = get_wsgi_application()
"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the site in `folder` by gunicorn, and yield its URL; it ends well, with all its processes."""
    how = ["--preload", "--workers", str(FORKS), "--threads", str(THREADS), "--bind", "127.0.0.1:0"]
    command = [sys.executable, "-m", "gunicorn", *how, "--chdir", str(ROOT), "--pythonpath", str(folder), "site_of_one"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            said = ""
            for line in server.stderr:
                said += line
                if found := re.search(r"Listening at: (http://\S+)", line):
                    yield found[1]
                    break
            server.send_signal(signal.SIGTERM)
            said += server.stderr.read()
            assert server.wait(LONG) == 0, said
            assert "Traceback" not in said, said
        finally:
            server.kill()


async def test_django_under_gunicorn(redis_url: str, namespace: str, tmp_path: Path) -> None:
    """Four forks with eight threads each create jobs and wait for them, after the flow was used before the forks."""
    text = SITE.format(url=redis_url, namespace=namespace, patience=LONG)
    (tmp_path / "site_of_one.py").write_text(text, "utf-8")
    flow = number_flow(redis_url, namespace, 30)
    answers: list[dict[str, Any]] = []

    async def double(job: Work) -> Answer:
        return Answer(answer=job.number * 2, pid=0)

    def ask(url: str, numbers: range) -> None:
        for number in numbers:
            with urllib.request.urlopen(f"{url}/{number}", timeout=LONG) as answer:  # noqa: S310 - our own
                answers.append({"number": number, **json.load(answer)})

    def ask_all() -> None:
        with served(tmp_path) as url:
            each = [range(thread * 10, thread * 10 + 10) for thread in range(THREADS)]
            threads = [threading.Thread(target=ask, args=(url, numbers)) for numbers in each]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    flow.create_workers(Work, double, concurrency=20)
    async with flow:
        await asyncio.to_thread(ask_all)
    assert {one["number"]: one["answer"] for one in answers} == {number: number * 2 for number in range(THREADS * 10)}
    assert all(one["record"]["status"] == "done" for one in answers)
    assert 1 < len(Counter(one["process"] for one in answers)) <= FORKS
