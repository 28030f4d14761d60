"""Random histories of one instance, played to a storage: what it answers, to be compared with what others do."""

from __future__ import annotations

import random
from typing import Any

from flows.errors import LostLease
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.tree.storage.protocol import (
    Conflict,
    InstanceChange,
    Storage,
    Token,
    Write,
)
from tests.tree.conformance.instances import ABC, DATA, execution, row, tree


async def play(storage: Storage, seed: int) -> list[Any]:
    """Play a random history, and return all that was answered, without ids and times: any two storages agree."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    new = row(name="n")
    await storage.create(new, DATA, ABC)
    seen: list[Any] = []
    tokens = [Token("nobody")]
    names: dict[str, str] = {"": "", "nobody": "nobody"}
    for _ in range(draw.randint(5, 30)):
        found = await storage.load(new.id, since=draw.randint(0, 5))
        if found is None:
            break
        revision = found.revision if draw.random() < 0.8 else draw.randint(1, 9)
        what = draw.random()
        try:
            if what < 0.25:
                one = execution()
                names[one.id] = f"e{len(names)}"
                tree_now = ABC if draw.random() < 0.7 else tree("a", draw.choice("bd"))
                answer: Any = await storage.begin(new.id, one, tree_now, revision)
                answer = answer.word, names[answer.execution], answer.revision
                tokens.append(Token(one.id, one.id))
            elif what < 0.7:
                statuses = [draw.choice(("queued", "running", "ok", "failed")) for _ in range(draw.randint(0, 3))]
                writes = [
                    Write(f"#.{draw.choice('ab')}", TaskRecord(status), draw.choice((None, b"%d" % at)))  # type: ignore[arg-type]
                    for at, status in enumerate(statuses)
                ]
                end = InstanceRecord(draw.choice(("done", "failed")), progress=0.5) if draw.random() < 0.3 else None
                token = draw.choice(tokens)._replace(fence=draw.randint(1, 3))
                answer = await storage.write(new.id, token, writes, end)
            elif what < 0.95:
                change = draw.choice((InstanceChange(name="m"), InstanceChange(b"{}"), InstanceChange(tree=tree("a"))))
                answer = await storage.change(new.id, change, revision)
            else:
                answer = await storage.delete(new.id)
        except (LostLease, Conflict) as error:
            answer = type(error).__name__
        seen.append(answer)
        seen.append({path: (record.status, record.order) for path, record in found.tasks.items()})
        seen.append((found.data, found.tree, found.changed, found.revision, found.row.name, found.row.status))
        seen.append((found.record.status, found.record.order, names[found.record.run], found.row.progress))
        seen.append(await storage.results(new.id, ["#.a", "#.b", "#.d"]))
    await storage.delete(new.id)
    return seen
