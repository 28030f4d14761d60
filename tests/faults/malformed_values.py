"""What a job's hash may hold when somebody has edited it: no JSON, half of it, numbers that are none, far too much."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

#: Texts in the place of a user's field.
TEXTS: Final[tuple[bytes, ...]] = (
    *(b"", b" ", b"\x00", b"nope", b"undefined", b"None", b"'plain'", b"plain", b"/* */1", b"1 2", b"1//"),
    *(b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"nan", b"inf"),
    *(b'"', b'"abc', b'"\xc3', b'"\xe2\x82"', b'"\xff\xfe"', b"\xf0\x9f\x98", b'"\xed\xa0\x80"', b'"\xc0\x80"'),
    *(b'"\\ud800"', b'"\\u12"', b'"\\x41"', b'"\\u0000"', b'"a\nb"', b'"a\tb"', b"\xef\xbb\xbf1", b"\xff\xfe1\x00"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616"),
    *(b"9007199254740993", b"9" * 400, b"9" * 5000, b"1" + b"0" * 100_000, b"0." + b"3" * 5000, b"-0", b"1.0", b"1.5"),
    *(b"0x10", b"01", b"+1", b"1_000", b".5", b"5.", b"1e3", b"--1", b"true", b"null", b"[]", b"{}", b"[[]]", b'""'),
    *(b"[1,]", b"[1", b'{"a":1', b'{"a":1,"a":2}', b"{1:2}", b'{"a"}', b"]", b"}", b",", b":", b"[1]]", b"1}", b"1}{"),
    *(b'1,"kind":"plain"', b'1,"id":"x"', b'1,"attempt":-1', b'1,"number":"x"', b'1,"":1', b'1},{"a":1'),
    *(b"[" * 100_000, b"[" * 300 + b"]" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 100_000 + b"]" * 100_000),
    *('"\u202eabc"'.encode(), '"\U0001f600"'.encode(), b'"' + b"a" * 70_000 + b'"', b" 1 ", b"\n1\n"),
)
#: Texts in the place of a number of the kernel's.
COUNTS: Final[tuple[bytes, ...]] = (
    *(b"", b" ", b"0", b"-0", b"-1", b"1", b"7", b"007", b" 1", b"1 ", b"+1", b"1.5", b"1e3", b"1e300", b"0x10"),
    *(b"NaN", b"nan", b"inf", b"-inf", b"true", b"null", b"[]", b"{}", b"x", b"\x00", b"\xff", b"1\n", b"--1"),
    *(b"999999999999999", b"9007199254740992", b"9007199254740993", b"9223372036854775808", b"9" * 400),
)
#: What a parent's list of the children to create may be.
PARAMS: Final[tuple[bytes, ...]] = (
    *(b"[null]", b"[[]]", b"[{}]", b'[{"child":"label"}]', b'[{"params":{}}]', b'[{"child":"nope","params":{}}]'),
    *(b'[{"child":1,"params":{}}]', b'[{"child":"label","params":[]}]', b'[{"child":"label","params":null}]'),
    *(b'[{"child":"label","params":{"_status":"done"}}]', b'[{"child":"label","params":{"":1}}]'),
    *(b'[{"child":"label","params":{"number":"x","kind":1}}]', b'[{"child":"label","params":{}}]'),
    *(b'"[]"', b"[[[[]]]]"),
    b'[{"child":"label","params":{"number":1,"kind":"plain"},"children":[{"child":"label","params":{}}]}]',
)
#: What the results of its children may be.
RESULTS: Final[tuple[bytes, ...]] = (
    *(b'{"label":{}}', b'{"label":null}', b'{"label":[{}]}', b'{"label":[null]}', b'{"label":[[]]}', b'{"label":"x"}'),
    *(b'{"label":[{"id":1,"status":"done"}]}', b'{"label":[{"id":"x","status":"never"}]}', b'{"nope":[]}', b'{"":[]}'),
    *(b'{"label":[{"id":"x","status":"done","result":{"value":"x"}}]}', b'{"label":[],"label":1}', b'{"label":[]'),
    b'{"label":[{"id":"x","status":"done","result":null}]}',
)
#: Fields that no job of ours has.
STRANGE: Final[tuple[bytes, ...]] = (
    *(b"", b" ", b"zzz", b"__proto__", b"__class__", b"__init__", b"id", b"flow_name", b"attempt", b"priority"),
    *(b"created_at", b"\xff\xfe", b"a\x00b", b"a\nb", b"_", b"_unknown", b"constructor", b"children"),
    *(
        b"children::jobs",
        b"children:zzz:jobs",
        b"children:zzz:results",
        b"children:pack",
        b":",
        b"*",
        b"{}",
        b"x" * 10_000,
    ),
)
#: Fields of the kernel's that hold text, and say nothing of where a job stands or whose it is.
KERNEL: Final[tuple[bytes, ...]] = (
    *(
        b"_lookups",
        b"_correlation_id",
        b"_carried",
        b"_error",
        b"_progress",
        b"_history",
        b"_reason",
        b"_ended",
        b"_empty",
    ),
    *(b"_building", b"_built", b"_failed_child", b"_policy", b"_result", b"children:pack:jobs"),
)
_USER: Final = (b"number", b"kind", b"customer")

Edit = Callable[[Any, str, random.Random], None]


def _set(fields: Sequence[bytes], values: Sequence[bytes]) -> Edit:
    def edit(pipeline: Any, key: str, chance: random.Random) -> None:
        pipeline.hset(key, chance.choice(fields), chance.choice(values))

    return edit


def _drop(fields: Sequence[bytes]) -> Edit:
    def edit(pipeline: Any, key: str, chance: random.Random) -> None:
        pipeline.hdel(key, chance.choice(fields))

    return edit


def _noise(pipeline: Any, key: str, chance: random.Random) -> None:
    """Random bytes in one field, or in a strange one."""
    pipeline.hset(key, chance.choice((*_USER, *KERNEL, *STRANGE)), chance.randbytes(chance.randint(1, 60)))


def _attempt(pipeline: Any, key: str, chance: random.Random) -> None:
    """Nonsense in the place of one of its counts; its rescues would make it wait for all others."""
    parts = [b"3", b"w", b"1", b"1", b"0", b"0", b"-"]
    parts[chance.choice((0, 2, 3, 5))] = chance.choice(COUNTS)
    pipeline.hset(key, "_attempt", b" ".join(parts))


def _many(pipeline: Any, key: str, chance: random.Random) -> None:
    """More fields than a job has."""
    fields = {f"extra{number}": chance.choice(TEXTS[:40]) for number in range(chance.randint(50, 500))}
    pipeline.hset(key, mapping=fields)


_OF_PACK: Final = b"children:pack:results"
_STATUS: Final = (b"", b" ", b"wait", b"Waiting", b"waiting ", b"\x00", b"\xff", b"null", b"none", b"1", b"[]")
_ANYWHERE: Final[tuple[Edit, ...]] = (
    *[_set(_USER, TEXTS)] * 6,
    *[_drop(_USER)] * 2,
    _attempt,
    _set((b"_attempt",), (*COUNTS, *TEXTS)),
    _set((b"_status",), _STATUS),
    _set(KERNEL, TEXTS),
    _set(STRANGE, TEXTS),
    _noise,
    _many,
)
#: How hashes are edited, by the queue in which their jobs wait.
EDITS: Final[dict[str, tuple[Edit, ...]]] = {
    "pick": _ANYWHERE,
    "pack": (*_ANYWHERE, *[_set((b"children:pack:params",), (*TEXTS, *PARAMS))] * 6, *[_drop((b"_attempt",))]),
    "pack:label": _ANYWHERE[:11],
    "pack:box": _ANYWHERE[:11],
    "ship": (*_ANYWHERE, *[_set((_OF_PACK,), (*TEXTS, *RESULTS))] * 6, _drop((_OF_PACK,))),
}


def edit(pipeline: Any, chance: random.Random, queue: str, keys: Sequence[str]) -> None:
    """Edit each of these hashes, whose jobs wait in `queue`, once or a few times."""
    for key in keys:
        for change in chance.choices(EDITS[queue], k=chance.choice((1, 1, 1, 2, 3))):
            change(pipeline, key, chance)
