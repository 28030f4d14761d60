"""`Recipe`: a generator as its app holds it, and the trees that it makes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from flows.errors import DeclarationError, ValidationError
from flows.model.runs.shape import Shape
from flows.model.tree.errors import did_you_mean
from flows.model.tree.node import Read
from flows.model.tree.plan import TreePlan
from flows.model.tree.schemas import written_schema
from flows.model.values.sets import sorted_sets
from flows.tree.declare import Tree
from flows.tree.plans import plan_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from flows.tree.declare import Task

ValueT = TypeVar("ValueT")

#: So many trees of a generator are remembered as checked, and so many by their data, where they are not larger.
_MOST_CHECKED: Final = 64
_MOST_GROWN: Final = 64
_LARGE: Final = 256
#: So many names are in a message.
_SHOWN: Final = 5


class Grown(NamedTuple):
    """A tree that a generator has made, checked.

    Attributes:
        plan: What its tasks depend on.
        tasks: Its tasks with their functions, by path.
        description: The tree as JSON.
    """

    plan: TreePlan
    tasks: Mapping[str, Task[Any]]
    description: bytes


class Recipe:
    """A generator as the app holds it: a function of data, and the type of that.

    Args:
        name: Its name.
        function: Makes trees.
        model: The type of the data.
        backends: The names of those that tasks may have.

    Raises DeclarationError where the type is no pydantic model.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[Any], Tree | Awaitable[Tree]],
        model: type[BaseModel],
        backends: Collection[str] = (),
    ) -> None:
        self.name = name
        self.model = model
        self.shape: Shape[Any] = Shape(model, f"the data of generator {name!r}")
        self._function = function
        self._backends = backends
        #: Trees of this code that were checked, by their descriptions.
        self._checked: dict[bytes, TreePlan] = {}
        #: Small trees by their data: what begins an execution is soon executed.
        self._grown: dict[bytes, Grown] = {}
        self._fields = [
            Read(field, schema=written_schema(info.rebuild_annotation())) for field, info in model.model_fields.items()
        ]

    def encode(self, data: object) -> bytes:
        """Return data as JSON, in which equal data are equal texts.

        Raises:
            ValidationError: it is not of the generator's type, or would come back as something else.
        """
        try:
            value = self.shape.accept(data)
        except ValidationError as error:
            raise ValidationError(f"{error}{self._unknown(data)}", error.faults) from error
        written: dict[str, Any] = from_json(self.shape.encode(value))
        return to_json(sorted_sets(value, written))

    async def grow(self, data: bytes, known: bytes = b"") -> Grown:
        """Return the tree for some data.

        Args:
            data: The data, as JSON.
            known: The description of a tree that was checked: one that is the same is not checked again.

        Raises:
            DeclarationError: it cannot work.
        """
        grown = self._grown.get(data)
        if grown is None:
            grown = await self._made(data, known)
            if len(grown.tasks) <= _LARGE:
                _remember(self._grown, data, grown, _MOST_GROWN)
        return grown

    def _unknown(self, data: object) -> str:
        """Return what an error says of members of a dict that are no fields: misspelt ones, perhaps."""
        if not isinstance(data, dict):
            return ""
        given = cast("dict[object, object]", data)
        known = {*self.model.model_fields, *(one.alias for one in self.model.model_fields.values() if one.alias)}
        unknown = [name for name in given if name not in known]
        return f"; it has no field {', '.join(map(repr, unknown[:_SHOWN]))}" if unknown else ""

    async def _made(self, data: bytes, known: bytes) -> Grown:
        made = self._function(self.shape.decode(data))
        tree = await made if inspect.isawaitable(made) else made
        if not isinstance(tree, Tree):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(
                f"generator {self.name!r} has returned a {type(tree).__name__}: let it return Tree(…)"
            )
        declared = tree.declared(self._fields)
        description = declared.write()
        plan = self._checked.get(description)
        if plan is None:
            plan = plan_of(known) if description == known else TreePlan(declared)
            self._check_backends(plan)
            _remember(self._checked, description, plan, _MOST_CHECKED)
        return Grown(plan, tree.by_path(), description)

    def _check_backends(self, plan: TreePlan) -> None:
        for path, node in plan.nodes.items():
            if node.backend and node.backend not in self._backends:
                raise DeclarationError(
                    f"{path}: Trees(backends=) has no {node.backend!r}{did_you_mean(node.backend, self._backends)}"
                )


def _remember(kept: dict[bytes, ValueT], key: bytes, value: ValueT, most: int) -> None:
    """Keep a value, and forget the oldest one where there are too many."""
    kept[key] = value
    while len(kept) > most:
        del kept[next(iter(kept))]
