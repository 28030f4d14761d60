"""What processes are to call: a function and its classes, by the routes on which another process imports them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.errors import DeclarationError
from flows.kernel.process.importable import qualified_name, route_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flows.kernel.resources import Lifespan
    from flows.model.job import Job


@dataclass(slots=True)
class Target:
    """What processes are to call: a function for jobs of a class, both by the routes on which they are imported.

    Attributes:
        name: The function's name.
        routes: The two routes, and that of the function's lifespan if it has one, as JSON.
        children: The job classes of which it may name children, by their qualified names.
        proven: Whether a process of this program has found both.
    """

    name: str
    routes: bytes
    children: Mapping[str, type[Job]]
    proven: bool = field(default=False)


def make_target(
    function: Callable[[Any], Any],
    job_class: type[Job],
    children: Iterable[type[Job]] = (),
    lifespan: Lifespan | None = None,
) -> Target:
    """Return what processes are to call.

    Raises:
        DeclarationError: another process could not import the function, the job class or the lifespan.
    """
    parts = [function, job_class] if lifespan is None else [function, job_class, lifespan]
    name, *others = (getattr(part, "__qualname__", repr(part)) for part in parts)
    routes = [route_to(part) for part in parts]
    for route, what in zip(routes, (name, *others), strict=True):
        if route is None:
            raise DeclarationError(f"{what} cannot be used in a process: define it at the top level of a module")
    return Target(name, json.dumps(routes).encode(), {qualified_name(one): one for one in children})
