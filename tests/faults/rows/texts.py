"""Row E7: strange texts as lookup values, params, ids and names."""

from __future__ import annotations

import asyncio
import hashlib
import random
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError

from flows import DeclarationError, Flow, FlowOptions, Job, JobGone, JobRecord, QueueOptions, ValidationError
from flows.model.ids import new_job_id
from flows.store.keys.jobs import JobKeys
from tests.faults.auditor import audit
from tests.faults.case import Case, row

#: So many texts make over a million pairs.
_TEXTS: Final = 1500
_NAMESPACE: Final = "texts:"
_SPECIAL: Final = (
    *("", " ", "  ", "\t", "\n", "\r\n", "\x00", "\x00\x00", "\x1f", "\x7f", "\x85", "\u00a0", "\u2028", "\ufeff"),
    *(":", "::", "*", "?", "[", "]", "[a-z]", "{", "}", "{}", "{a}", "\\", "\\n", "\\x00", "/", "..", "%00", "#", "##"),
    *("#sha256:", "#sha256:" + "0" * 64, "-", "_", "_status", "id", "children", "waiting", "jobs", "null", "true", "0"),
    *("job:texts:1", "queue:first:waiting", "texts:", "flows:names", "text:a", "text", "other:a", "a:b", "a", "b", "A"),
    *("\u202eabc", "abc", "cba", "\u200fabc", "\u05d0\u05d1", "\u00e9", "e\u0301", "\u212b", "\u00c5", "K", "\u212a"),
    *("\U0001f600", "\U0001f468\u200d\U0001f469", "\u0130", "i\u0307", "\uff21", "\ud800", "\udfff\ud800", "a\ud800"),
    *("1", "01", "1.0", "1e0", " 1", "1 ", "+1", "NaN", "nan", "-0", '"', '""', '"a"', "'", "`", "$", "`id`"),
    *("a" * 199, "a" * 200, "a" * 201, "a" * 202, "a" * 65_536, "a" * 65_535 + "b", "b" + "a" * 65_535),
    *("\u00e9" * 100, "\u00e9" * 101, "\x00" * 65_536, "\u202e" * 21_846, "<script>", "=1+1", "\r\nSET a b\r\n"),
)


class Texts(BaseModel):
    """Params that are found by what they say."""

    text: str
    other: str = ""
    many: list[str] = []


class First(Job):
    """The only queue."""

    text: str
    other: str
    many: list[str]


class Part(Job):
    """A child."""


Flows: TypeAlias = Flow[First, Texts, Literal["text", "other", "many"]]


@row("E7", "strange texts as values, ids and names", limit=90)
def e7(case: Case) -> None:
    """Each is refused, or comes back as it was; no two of them share a key."""
    texts = _make(case.random)
    flow = _flow(case)
    asyncio.run(_values(case, flow, texts))
    asyncio.run(_ids(case, flow, texts))
    _names(case, texts)
    with case.server.client() as client:
        found = audit(client, flow._declaration.options)
        case.expect(not found.violations, f"the keyspace is sound: {found.violations[:3]}")
        for key in client.scan_iter(f"{_NAMESPACE}*", count=10_000):
            client.unlink(key)


def _flow(case: Case) -> Flows:
    options = FlowOptions[Any, Any](
        name="texts",
        lookup_attributes=["text", "other", "many"],
        queues=[QueueOptions("first", job=First)],
        redis_url=case.server.url,
        namespace=_NAMESPACE,
        max_payload=8 << 20,
    )
    return Flow[First, Texts, Literal["text", "other", "many"]](options)


def _make(chance: random.Random) -> list[str]:
    """Return texts that all differ: the special ones, mixtures of them, and random ones of all lengths."""
    texts = dict.fromkeys(_SPECIAL)
    short = [text for text in _SPECIAL if len(text) < 30]
    while len(texts) < _TEXTS:
        match chance.randrange(5):
            case 0:
                text = "".join(chance.choices(short, k=chance.randint(2, 4)))
            case 1:
                text = "".join(chr(chance.randrange(1, 0x3000)) for _ in range(chance.randint(1, 40)))
            case 2:  # they differ in their last characters only, on both sides of the bound for digests
                text = "x" * chance.randint(190, 210) + "".join(chance.choices(":*{}\n\x00 ab", k=3))
            case 3:
                text = "".join(chance.choices(string.printable, k=chance.randint(1, 8)))
            case _:  # what another text may stand as
                other = chance.choice(list(texts))
                text = f"#sha256:{hashlib.sha256(other.encode('utf-8', 'surrogatepass')).hexdigest()}"
        texts[text] = None
    return list(texts)


async def _values(case: Case, flow: Flows, texts: Sequence[str]) -> None:
    """Create a job with each text in every place of the params, and find it, and nothing else, by each."""
    writable = [text for text in texts if _writable(text)]
    created: dict[str, str] = {}
    wrong: list[str] = []
    collisions = 0
    try:
        for text in texts:
            with suppress(PydanticValidationError, ValidationError):
                params = Texts(text=text, other=text, many=[text, text])
                created[text] = await flow.create_job(params, correlation_id=text)
        case.expect(list(created) == writable, f"what is Unicode is taken, and nothing else: {len(created)} texts")
        for text in texts:
            mine = [created[text]] if text in created else []
            for attribute in ("text", "other", "many"):
                found = await _find(flow, attribute, text)
                if found != mine:
                    collisions += isinstance(found, list)
                    wrong.append(f"{attribute}={text[:50]!r} finds {found!r:.200}")
        records = await flow.get_jobs(list(created.values()))
        for text, record in zip(created, records, strict=True):
            shown = record and (record.params.text, record.params.other, *record.params.many, _correlation(record))
            if shown != (text,) * 5:
                wrong.append(f"{text[:50]!r} comes back as {shown!r:.200}")
    finally:
        await flow.stop_all()
    case.expect(not wrong, f"each text finds its own job, which has it as it was: not {len(wrong)}, {wrong[:3]}")
    pairs = len(created) * (len(created) - 1) // 2
    case.expect(pairs > 10**6, f"there are a million pairs, not {pairs}")
    case.figures.update(texts=len(created), refused=len(texts) - len(created), pairs=pairs, collisions=collisions)


def _correlation(record: JobRecord[Texts]) -> str | None:
    return record.view(First).correlation_id


async def _find(flow: Flows, attribute: Any, text: str) -> Any:
    """Return the ids that are found by a text, or the error where it is none of ours."""
    try:
        return [record.id for record in await flow.get_jobs_by_key(attribute, text)]
    except ValidationError:
        return []
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return error


def _writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _ids(case: Case, flow: Flows, texts: Sequence[str]) -> None:
    """Take each text for an id: it is refused, or there is no such job."""
    real = new_job_id()
    ids: list[Any] = [*texts, None, 1, b"x", real.encode(), real + "\n", f" {real}", real[:-1], f"{{{real}}}"]
    ids += [real.upper(), real.replace("-", ""), f"urn:uuid:{real}", real.replace("-", "\u2010"), f"{real}:children:x"]
    answers: Counter[str] = Counter()
    wrong: list[str] = []
    calls: list[Callable[[Any], Any]] = [
        *(flow.get_job, lambda job_id: flow.get_jobs([job_id]), flow.cancel_job, flow.retry_job, flow.delete_job),
        *(flow.get_log, lambda job_id: flow.wait_for(job_id, 0.01)),
    ]
    try:
        for job_id in ids:
            for call in calls:
                try:
                    answer = await call(job_id)
                except (ValidationError, JobGone) as error:
                    answers[type(error).__name__] += 1
                except Exception as error:  # noqa: BLE001 - that is what is looked for
                    wrong.append(f"{job_id!r:.50} as an id raised {error!r:.200}")
                else:
                    if answer not in ([], [None], None, False):
                        wrong.append(f"{job_id!r:.50} is no job: {answer}")
    finally:
        await flow.stop_all()
    case.expect(not wrong, f"what is no id is refused, or there is no such job: {wrong[:3]}")
    case.figures.update(ids=len(ids), ids_refused=answers["ValidationError"])


def _names(case: Case, texts: Sequence[str]) -> None:
    """Take each text for a name of anything: those that are taken share no key with one another."""
    accepted: dict[str, list[str]] = {}
    keys: Counter[str] = Counter()
    plain = [*texts, *("".join(case.random.choices(string.ascii_letters + "._-09", k=5)) for _ in range(300))]
    for kind, make in _DECLARED.items():
        accepted[kind] = []
        for text in plain:
            try:
                make(text)
            except (DeclarationError, PydanticValidationError):
                continue
            accepted[kind].append(text)
    for flow in accepted["flow"]:
        keys.update(_of_flow(flow))
    twice = [key for key, count in keys.items() if count > 1]
    case.expect(not twice, f"no two keys are the same: {twice[:3]}")
    allowed = set(string.ascii_letters + string.digits + "_.-")
    for kind, names in accepted.items():
        strange = [name for name in names if not name or len(name) > 64 or set(name) - allowed]
        case.expect(not strange, f"no {kind} has such a name: {strange[:3]}")
    case.figures.update({f"{kind}_names": len(names) for kind, names in accepted.items()})


def _of_flow(flow: str) -> Iterator[str]:
    keys, job_id = JobKeys(""), "0190a6de-0000-7000-8000-000000000000"
    yield from (keys.job(flow, job_id), keys.settled(flow, job_id, flow), keys.lookup(flow, "text", job_id))
    yield from (keys.waiting(flow), keys.processing(flow), keys.delayed(flow), keys.children(flow), keys.meta(flow))
    yield from (keys.wake(flow), keys.timer(flow), keys.parents(flow), keys.log(flow, job_id))
    yield from (keys.pending(flow, job_id), keys.building(flow, job_id))


def _declare(name: str = "texts", queue: str = "first", child: str = "part", attribute: str = "text") -> None:
    options: Any = FlowOptions(
        name=name,
        lookup_attributes=[attribute],
        queues=[QueueOptions(queue, job=First, children=[QueueOptions(child, job=Part)])],
    )
    Flow[First, Texts, Literal[attribute]](options)  # type: ignore[valid-type]


_DECLARED: Final[dict[str, Callable[[str], object]]] = {
    "flow": lambda text: _declare(name=text),
    "queue": lambda text: _declare(queue=text),
    "child": lambda text: _declare(child=text),
    "attribute": lambda text: _declare(attribute=text),
}
