"""`TaskLogs`: the logs of tasks in DynamoDB, in items of many lines each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.store.jobs.log_line import LogLine, read_line
from flows.tree.aws.dynamo_items import LOG
from flows.tree.aws.dynamo_table import Key
from flows.tree.storage.protocol import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.tree.aws.dynamo_table import DynamoTable

#: An item of lines has so many bytes at most, but for its last one.
_ITEM: Final = 300_000
#: After so many lines, those that are not kept are deleted.
_SWEEP: Final = 100


class TaskLogs:
    """The logs of tasks.

    Args:
        table: Where they are.
    """

    def __init__(self, table: DynamoTable) -> None:
        self._table = table

    async def add(self, instance_id: str, path: str, lines: Sequence[str], now: int) -> None:
        """Add lines, each a JSON object, with their numbers and the time."""
        if not lines:
            return
        count = await self._table.add(Key(instance_id, f"{LOG}{path}"), "count", len(lines))
        first = count - len(lines) + 1
        texts = [b'{"n":%d,"at":%d,%b' % (n, now, line.encode()[1:]) for n, line in enumerate(lines, first)]
        for last, part in _parted(first, texts):
            await self._table.write(self._table.put(Key(instance_id, f"{LOG}{path}#{last:012}"), {"lines": part}))
        if count // _SWEEP > (first - 1) // _SWEEP:
            places = [item["sk"] for item in await self._table.query(instance_id, f"{LOG}{path}#", names=("pk", "sk"))]
            old = (place for place in places if int(place.rpartition("#")[2]) <= count - MOST_LINES)
            await self._table.drop(Key(instance_id, place) for place in old)

    async def read(self, instance_id: str, path: str, since: int) -> list[LogLine]:
        """Return the lines of later numbers, of the last 1,000."""
        items = await self._table.query(instance_id, f"{LOG}{path}#")
        lines = [read_line(line) for item in items for line in item["lines"].split(b"\n")]
        oldest = max(since, (lines[-1].n if lines else 0) - MOST_LINES)
        return [line for line in lines if line.n > oldest]


def _parted(first: int, texts: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield lines as items have them, each with the number of the last one."""
    gathered: list[bytes] = []
    for n, text in enumerate(texts, first):
        gathered.append(text)
        if sum(map(len, gathered)) >= _ITEM:
            yield n, b"\n".join(gathered)
            gathered = []
    if gathered:
        yield first + len(texts) - 1, b"\n".join(gathered)
