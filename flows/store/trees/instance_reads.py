"""`InstanceReads`: reads instances, those of one moment in one round trip, and no tree that this process knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from flows.store.client.connection import translated
from flows.store.client.wire import ReplyError, pack_arguments, pack_command, pack_more
from flows.store.trees.shared_calls import SharedCalls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.scripts import Argument
    from flows.store.trees.tree_link import TreeLink

Fields = dict[bytes, bytes]

#: What is read of an instance, and its tree, which is known by its digest.
_FIELDS: Final = (
    *("app", "generator", "realm", "name", "labels", "ephemeral", "created", "updated", "record", "_order"),
    *("data", "changed", "tree_digest", "_run", "_path", "_targets", "_argument"),
)
_NAMES: Final = tuple(name.encode() for name in _FIELDS)
_ORDER: Final = _FIELDS.index("_order")
_PACKED_FIELDS: Final = pack_arguments(_FIELDS)
_TIME: Final = pack_command(("TIME",))
_MULTI: Final = pack_command(("MULTI",))
_EXEC: Final = pack_command(("EXEC",))
#: So many trees are remembered.
_MOST_TREES: Final = 64


class Read(NamedTuple):
    """An instance as it was read, in one moment."""

    fields: Fields
    tasks: Fields


class InstanceReads:
    """The instances of one namespace."""

    def __init__(self, link: TreeLink) -> None:
        self._link = link
        self._reads = SharedCalls(self._read_all)
        #: Trees by their digests.
        self._trees: dict[bytes, bytes] = {}

    async def read(self, instance_id: str, *, tasks: bool) -> Read | None:
        """Return an instance, with the records of its tasks or without; None: there is none.

        Raises:
            StoreError: it cannot be read.
        """
        keys = self._link.keys
        key = keys.tree(instance_id)
        asked = _Asked(key, keys.tasks(instance_id) if tasks else None)
        while True:
            replies: list[Any] = await self._reads.call(asked)
            if wrong := next((one for one in replies if isinstance(one, ReplyError)), None):
                raise translated(wrong)
            values: list[bytes | None] = replies[0]
            if values[_ORDER] is None:
                return None
            fields = {name: value for name, value in zip(_NAMES, values, strict=True) if value is not None}
            if await self._has_tree(key, fields):
                records: list[bytes] = replies[1] if tasks else []
                return Read(fields, dict(zip(records[::2], records[1::2], strict=True)))

    def know(self, fields: Mapping[str, Argument]) -> None:
        """Remember the tree that is written with an instance, where one is."""
        if "tree" in fields:
            self._remember(str(fields["tree_digest"]).encode(), cast("bytes", fields["tree"]))

    def _remember(self, digest: bytes, tree: bytes) -> None:
        self._trees.setdefault(digest, tree)
        while len(self._trees) > _MOST_TREES:
            del self._trees[next(iter(self._trees))]

    async def _has_tree(self, key: str, fields: Fields) -> bool:
        """Add the tree; return False where the instance has another one by now."""
        digest = fields.get(b"tree_digest")
        known = None if digest is None else self._trees.get(digest)
        if known is None:
            connection = await self._link.connection()
            known, now = await connection.call("HMGET", key, "tree", "tree_digest")
            if now != digest:
                return False
            if known is not None and digest is not None:
                self._remember(digest, known)
        if known is not None:
            fields[b"tree"] = known
        return True

    async def _read_all(self, asked: Sequence[_Asked]) -> list[Any]:
        connection = await self._link.connection()
        data = b"".join((_TIME, *(one.packed for one in asked)))
        replies: list[Any] = await connection.packed(data, 1 + sum(one.replies for one in asked))
        if isinstance(replies[0], ReplyError):
            raise translated(replies[0])
        self._link.clock.saw(int(replies[0][0]), int(replies[0][1]))
        answers, at = list[Any](), 1
        for one in asked:
            at += one.replies
            last = replies[at - 1]
            # Behind MULTI, the last reply has those of both commands, or is why there are none.
            answers.append(last if one.has_tasks and isinstance(last, list) else [last])
        return answers


class _Asked:
    """One instance that is to be read: both hashes in one moment, where the tasks are asked for."""

    __slots__ = ("arguments", "has_tasks", "packed", "replies")

    def __init__(self, key: str, tasks_key: str | None) -> None:
        self.has_tasks = tasks_key is not None
        self.packed = pack_more(("HMGET", key), len(_FIELDS), [_PACKED_FIELDS])
        if tasks_key is not None:
            self.packed = b"".join((_MULTI, self.packed, pack_command(("HGETALL", tasks_key)), _EXEC))
        self.arguments = self.replies = 4 if self.has_tasks else 1
