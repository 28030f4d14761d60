"""`flows trees types`: TypeScript types of what the tasks of trees return, for the React package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import pydantic
from cyclopts import Parameter
from pydantic import TypeAdapter

from flows.cli.loading import find
from flows.cli.typescript import REFERENCE, declared, documented, type_of
from flows.errors import DeclarationError
from flows.model.tree.errors import UnknownGenerator
from flows.model.tree.schemas import Whole
from flows.tree.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.runs.shape import Shape
    from flows.tree.recipe import Recipe

_PACKAGE: Final = "@typed-flows/react"


async def types(
    target: Annotated[str, Parameter(help="An app of trees: `shop.imports:trees`.")],
    *,
    data: Annotated[
        Sequence[str],
        Parameter(
            help="Data to make a tree of: `import-site=site.json`; needed where the generator's model has no defaults."
        ),
    ] = (),
) -> int:
    """Print TypeScript types of what the tasks of an app's trees return: `useTaskResult(id, "#.fetch")` is `string[]`.

    Save it as a `.d.ts` beside the page. Which paths there are follows from the data.
    """
    trees = find(target)
    if not isinstance(trees, Trees):
        raise DeclarationError(f"{target}: this is no app of trees, but {trees!r:.100}")
    given = dict(_read(one) for one in data)
    recipes = trees._host.recipes  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - of this package
    print(await result_types(target, recipes, given), end="")  # noqa: T201 - what the command is for
    return 0


async def result_types(target: str, recipes: Mapping[str, Recipe], given: Mapping[str, bytes]) -> str:
    """Return a TypeScript module that tells the React package what is returned at each path.

    Args:
        target: Where the app stands, for who reads it.
        recipes: Its generators.
        given: Data, as JSON, by the name of the generator.

    Raises:
        UnknownGenerator: data is given for a generator that is not there.
        DeclarationError: a generator needs data, or makes a tree that cannot work.
        ValidationError: data is not of its generator's type.
    """
    for name in given:
        if name not in recipes:
            raise UnknownGenerator(name, recipes)
    returned: dict[str, list[Shape[Any]]] = {}
    for name, recipe in recipes.items():
        grown = await recipe.grow(recipe.encode(recipe.shape.decode(given[name]) if name in given else _empty(recipe)))
        for path, task in grown.tasks.items():
            if task.shape is not None and task.node.returns is not None:
                returned.setdefault(path, []).append(task.shape)
    types, models = _typed({shape for shapes in returned.values() for shape in shapes})
    lines = [f"// Made by `flows trees types {target}`: what its tasks return.", f'import "{_PACKAGE}";', "", *models]
    lines += [f'declare module "{_PACKAGE}" {{', "  interface TaskResults {"]
    for path, shapes in sorted(returned.items()):
        lines.append(f'    "{path}": {" | ".join(dict.fromkeys(types[shape] for shape in shapes))};')
    return "\n".join([*lines, "  }", "}", ""])


def _typed(shapes: set[Shape[Any]]) -> tuple[dict[Shape[Any], str], list[str]]:
    """Return the type of what each shape writes, and the declarations of the models that they name."""
    schemas, definitions = TypeAdapter.json_schemas(
        [(shape, "serialization", TypeAdapter(shape.declared)) for shape in shapes],
        by_alias=False,
        ref_template=REFERENCE,
        schema_generator=Whole,
    )
    lines: list[str] = []
    for name, schema in sorted(definitions.get("$defs", {}).items()):
        lines += [*documented(schema, ""), f"export {declared(name, schema)}", ""]
    return {shape: type_of(schemas[shape, "serialization"], "    ") for shape in shapes}, lines


def _empty(recipe: Recipe) -> object:
    try:
        return recipe.model()
    except pydantic.ValidationError as error:
        raise DeclarationError(
            f"generator {recipe.name!r} needs data: give it in a file, --data {recipe.name}=FILE.json"
        ) from error


def _read(given: str) -> tuple[str, bytes]:
    name, _, file = given.partition("=")
    if not name or not file:
        raise DeclarationError(f"--data {given!r:.100}: give the name of a generator and a file, import-site=site.json")
    try:
        return name, Path(file).read_bytes()
    except OSError as error:
        raise DeclarationError(f"--data {given}: {error.strerror or error}") from error
