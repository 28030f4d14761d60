"""`DynamoTable`: one table of DynamoDB, in which items are plain dictionaries, and conditions hold or do not."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from flows.errors import DeclarationError, StoreUnavailable
from flows.tree.aws.client import AwsClient, AwsRefused
from flows.tree.aws.dynamo_values import conditioned, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from flows.tree.aws.client import AwsCredentials
    from flows.tree.aws.dynamo_values import Value

#: The index of those items that have both: of which app, and when they are due.
DUE_INDEX: Final = "due"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")
#: A call deletes, and reads, so many items at most.
_DELETED: Final = 25
_READ: Final = 100
#: What others have done meanwhile, and a moment later they have not.
_LOST: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
#: Pauses between tries, in seconds; who was overtaken or refused so often gives up.
_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5
_TRIES: Final = 30


#: The values of a condition, by name.
Given: TypeAlias = "Mapping[str, Value]"
NOTHING: Final[Given] = {}


class Key(NamedTuple):
    """Where an item stands: all of one partition are read together, in the order of their places."""

    partition: str
    place: str


class Tries:
    """The tries at something in which others are in the way: a pause goes before each further one."""

    def __init__(self) -> None:
        self._count = 0

    async def again(self) -> None:
        """Wait before the next try.

        Raises:
            StoreUnavailable: there were too many.
        """
        self._count += 1
        if self._count >= _TRIES:
            raise StoreUnavailable(
                f"the table was busy in each of {_TRIES} tries: it is throttled, or others write there"
            )
        await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2**self._count)))  # noqa: S311 - no secret


class DynamoTable:
    """One table.

    Args:
        name: Its name.
        region: Where it is.
        endpoint: The URL of another server than Amazon's.
        credentials: Who calls.
    """

    def __init__(self, name: str, region: str | None, endpoint: str | None, credentials: AwsCredentials | None) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"table {name!r:.80}: use 3 to 255 of the characters A-Z a-z 0-9 _ . -")
        self.name = name
        self._client = AwsClient("dynamodb", region, endpoint, credentials)

    async def create(self) -> None:
        """Make the table, unless it is there, and return when it can be used."""
        attributes = {"pk": "S", "sk": "S", "due_app": "S", "due": "N"}
        try:
            await self._client.call(
                "create_table",
                TableName=self.name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": one, "AttributeType": kind} for one, kind in attributes.items()
                ],
                KeySchema=_schema("pk", "sk"),
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": DUE_INDEX,
                        "KeySchema": _schema("due_app", "due"),
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ],
            )
        except AwsRefused as error:
            if error.code != "ResourceInUseException":  # it is there
                raise
        while True:
            table = (await self._client.call("describe_table", TableName=self.name))["Table"]
            if table["TableStatus"] != "CREATING":
                return
            await asyncio.sleep(_LONGEST_PAUSE)

    async def get(self, key: Key) -> dict[str, Any] | None:
        """Return an item as it stands; None: there is none."""
        answer = await self._client.call("get_item", TableName=self.name, Key=_key(key), ConsistentRead=True)
        return unpacked(answer["Item"]) if "Item" in answer else None

    async def get_many(self, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
        """Return those of these items that there are."""
        found: dict[Key, dict[str, Any]] = {}
        left = [_key(key) for key in dict.fromkeys(keys)]
        tries = Tries()
        while left:
            part, left = left[:_READ], left[_READ:]
            asked = {self.name: {"Keys": part, "ConsistentRead": True}}
            answer = await self._client.call("batch_get_item", RequestItems=asked)
            for item in map(unpacked, answer["Responses"].get(self.name, ())):
                found[Key(item["pk"], item["sk"])] = item
            if refused := answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys"):
                left += refused
                # A part of them is progress: they have more bytes than a call returns, perhaps.
                tries = tries if len(refused) == len(part) else Tries()
                await tries.again()
        return found

    async def query(self, partition: str, begins: str, *, names: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the items of a partition whose places begin so; of names, these members alone."""
        asked: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)" if begins else "pk = :pk",
            "ExpressionAttributeValues": packed({":pk": partition} | ({":sk": begins} if begins else {})),
        }
        if names:
            asked["ProjectionExpression"] = ", ".join(names)
        return [item async for item in self._pages("query", asked)]

    async def due(self, app: str, until: int, limit: int) -> list[str]:
        """Return the partitions whose items of an app are due; one that has become so just now may be missing."""
        answer = await self._client.call(
            "query",
            TableName=self.name,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_app = :app AND due <= :until",
            ExpressionAttributeValues=packed({":app": app, ":until": until}),
            Limit=limit,
        )
        return [unpacked(item)["pk"] for item in answer["Items"]]

    def scan(self, place: str) -> AsyncIterator[dict[str, Any]]:
        """Yield all items at a place, of all partitions: it reads the whole table."""
        asked = {
            "TableName": self.name,
            "ConsistentRead": True,
            "FilterExpression": "sk = :sk",
            "ExpressionAttributeValues": packed({":sk": place}),
        }
        return self._pages("scan", asked)

    async def write(self, *operations: Mapping[str, Any]) -> bool:
        """Do all of these, or nothing; False: a condition does not hold, or others write the same items just now."""
        try:
            await self._client.call("transact_write_items", TransactItems=operations)
        except AwsRefused as error:
            if _LOST.intersection(str(one.get("Code")) for one in error.response.get("CancellationReasons", ())):
                return False
            raise
        return True

    async def add(self, key: Key, member: str, number: int) -> int:
        """Add to a number, 0 at first, and return what it is then."""
        answer = await self._client.call(
            "update_item",
            TableName=self.name,
            Key=_key(key),
            UpdateExpression="ADD #member :number",
            ExpressionAttributeNames={"#member": member},
            ExpressionAttributeValues=packed({":number": number}),
            ReturnValues="UPDATED_NEW",
        )
        return int(unpacked(answer["Attributes"])[member])

    async def drop(self, keys: Iterable[Key]) -> None:
        """Delete items, those that there are, one by one."""
        left: list[Any] = [{"DeleteRequest": {"Key": _key(key)}} for key in keys]
        tries = Tries()
        while left:
            part, left = left[:_DELETED], left[_DELETED:]
            answer = await self._client.call("batch_write_item", RequestItems={self.name: part})
            if refused := answer.get("UnprocessedItems", {}).get(self.name):
                left += refused
                await tries.again()

    def put(self, key: Key, members: Mapping[str, Value], where: str = "", given: Given = NOTHING) -> dict[str, Any]:
        """Return the operation that puts an item; its condition is that of `conditioned`."""
        item = packed({"pk": key.partition, "sk": key.place, **members})
        return {"Put": {"TableName": self.name, "Item": item, **conditioned(where, given)}}

    def update(
        self, key: Key, members: Mapping[str, Value], without: Sequence[str] = (), *, where: str, given: Given = NOTHING
    ) -> dict[str, Any]:
        """Return the operation that changes members of an item, and takes others out; see `put`."""
        changes = [f"SET {', '.join(f'#{name} = :new_{name}' for name in members)}"] if members else []
        changes += [f"REMOVE {', '.join(f'#{name}' for name in without)}"] if without else []
        values = {f"new_{name}": value for name, value in members.items()} | dict(given)
        told = {"UpdateExpression": " ".join(changes), **conditioned(where, values, (*members, *without))}
        return {"Update": {"TableName": self.name, "Key": _key(key), **told}}

    def delete(self, key: Key, *, where: str, given: Given = NOTHING) -> dict[str, Any]:
        """Return the operation that deletes an item; see `put`."""
        return {"Delete": {"TableName": self.name, "Key": _key(key), **conditioned(where, given)}}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _pages(self, operation: str, asked: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            answer = await self._client.call(operation, **asked, **start)
            for item in answer["Items"]:
                yield unpacked(item)
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _key(key: Key) -> dict[str, Any]:
    return packed({"pk": key.partition, "sk": key.place})


def _schema(partition: str, place: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": place, "KeyType": "RANGE"}]
