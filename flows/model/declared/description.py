"""Describes a flow as JSON: its queues, times, lookup attributes and classes, and the digest that names all of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.model.declared.schemas import Schema, schema_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel

    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.model.queue_options import QueueOptions
    from flows.model.retries import Retries

#: So many digits of a SHA-256 name a declaration: of a flow, five are kept.
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Description:
    """A flow as it is declared, ready to be written."""

    digest: str
    """Names the declaration. Processes with the same queues, times and shapes of classes have the same one."""
    text: str
    """The JSON; without schemas where the flow says `describe=False`."""


class Descriptor:
    """Describes one flow, once in a process: schemas take a millisecond or more for each class."""

    def __init__(self, options: FlowOptions[Job, str], params: type[BaseModel]) -> None:
        #: How events call the flow.
        self.shown = options.name
        self._options = options
        self._params = params
        self._made: Description | None = None

    async def description(self) -> Description:
        """Return the description; while it is made, the event loop has its turn after each class."""
        if self._made is None:
            classes = [self._params, *(queue.job for _name, queue in self._options.walk())]
            schemas: dict[type[BaseModel], Schema | None] = {}
            for model in dict.fromkeys(classes):
                schemas[model] = schema_of(model)
                await asyncio.sleep(0)
            self._made = _describe(self._options, self._params, schemas)
        return self._made


def describe(options: FlowOptions[Job, str], params: type[BaseModel]) -> Description:
    """Return the description of a flow whose jobs are created with `params`."""
    classes = [params, *(queue.job for _name, queue in options.walk())]
    return _describe(options, params, {model: schema_of(model) for model in classes})


def _describe(
    options: FlowOptions[Job, str], params: type[BaseModel], schemas: dict[type[BaseModel], Schema | None]
) -> Description:
    shapes = {model: shape_of(model, schema) for model, schema in schemas.items()}
    whole = canonical(_as_dict(options, params, shapes))
    shown: dict[type[BaseModel], Any] = schemas if options.describe else {}
    text = canonical(_as_dict(options, params, shown))
    return Description(hashlib.sha256(whole.encode()).hexdigest()[:_DIGITS], text)


def describe_results(models: Iterable[type[BaseModel]]) -> str:
    """Return the JSON of the classes of result that the functions of a queue say they return."""
    return canonical([{"title": model.__name__, "schema": schema_of(model)} for model in dict.fromkeys(models)])


def canonical(value: object) -> str:
    """Return the one JSON text of a value: members in the order of their names, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def _as_dict(
    options: FlowOptions[Job, str], params: type[BaseModel], schemas: dict[type[BaseModel], Any]
) -> dict[str, Any]:
    kept = options.retained
    return {
        "flow": options.name,
        "params": _class(params, schemas),
        "queues": list(_queues(options.queues, schemas, "")),
        "lookups": list(options.lookup_attributes),
        "times": {
            "ttl": None if options.job_ttl is None else _ms(options.job_ttl),
            "done": _ms(kept.done),
            "failed": _ms(kept.failed),
            "cancelled": _ms(kept.cancelled),
            "lease": _ms(options.lease),
        },
        "max_payload": options.max_payload,
        "max_crashes": options.max_crashes,
    }


def _queues(queues: Any, schemas: dict[type[BaseModel], Any], parent: str) -> Iterator[dict[str, Any]]:
    queue: QueueOptions[Job]
    for queue in queues:
        name, rules = f"{parent}{queue.name}", queue.rules
        yield {
            "name": queue.name,
            "job": _class(queue.job, schemas),
            "next": queue.next_queue,
            "children": list(_queues(queue.children, schemas, f"{name}:")),
            "on_child_failure": queue.on_child_failure,
            "retries": None if queue.retries is None else _retries(queue.retries),
            "timeout": None if queue.timeout is None else _ms(queue.timeout),
            "formerly": list(queue.formerly),
            **({} if rules is None else {"rules": rules.line(name)}),
        }


def _class(model: type[BaseModel], schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    """Return a class by its name, which is a title: nothing is ever imported by it."""
    return {"title": model.__name__, "schema": schemas.get(model)}


def _retries(retries: Retries) -> dict[str, Any]:
    backoff = [retries.backoff] if isinstance(retries.backoff, timedelta) else retries.backoff
    return {
        "max_attempts": retries.max_attempts,
        "backoff": [_ms(delay) for delay in backoff],
        "doubles": isinstance(retries.backoff, timedelta),
        "jitter": retries.jitter,
        "max_delay": _ms(retries.max_delay),
        "retry_on": [one.__name__ for one in retries.retry_on],
        "give_up_on": [one.__name__ for one in retries.give_up_on],
    }


def _ms(time: timedelta) -> int:
    return round(time / timedelta(milliseconds=1))
