"""Lists the guards of a Lua text, and for each the text without it: a mutant.

A guard is a condition or a part of one, an operand of `and` or `or`, an option of a command (XX, GT, NX), a bound,
an `expect(…)`, and the `p` of `redis.pcall`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.lua_syntax import Node, Statement, parse
from tests.faults.script_tests import lua_files

OPTIONS: Final = frozenset({"'XX'", "'NX'", "'GT'", "'LT'"})
CALLS: Final = frozenset({"redis.call", "redis.pcall"})
CLAMPS: Final = frozenset({"math.max", "math.min"})
#: What a bound becomes: so large that nothing reaches it.
UNBOUND: Final = "100000000"
#: Statements that refuse: after one of these the block does nothing more.
REFUSALS: Final = frozenset({"return", "break"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file without one of its guards."""

    file: str
    line: int
    guard: str
    change: str
    text: str

    @property
    def after(self) -> str:
        """Return the line of the guard as it stands after the change."""
        return self.text.split("\n")[self.line - 1].strip()


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    end: int
    new: str
    guard: str
    what: str


def mutants(file: str, text: str) -> list[Mutant]:
    """Return the mutants of a file, in the order of their places."""
    found: dict[tuple[int, int, str], Mutant] = {}
    for change in _Guards(text).of_block(parse(text), top=True):
        mutated = text[: change.start] + change.new + text[change.end :]
        line = text.count("\n", 0, change.start) + 1
        guard = " ".join(change.guard.split())
        found.setdefault((change.start, change.end, change.new), Mutant(file, line, guard, change.what, mutated))
    return [found[place] for place in sorted(found)]


def read_mutants(folder: Path) -> list[Mutant]:
    """Return the mutants of all files of a folder of scripts."""
    return [mutant for file in lua_files(folder) for mutant in mutants(file, (folder / file).read_text("utf-8"))]


class _Guards:
    """Walks through statements and expressions."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of_block(self, statements: list[Statement], *, top: bool = False) -> Iterator[_Change]:
        for statement in statements:
            yield from self._of_statement(statement, top=top)
            yield from self.of_block(statement.body)

    def _of_statement(self, statement: Statement, *, top: bool) -> Iterator[_Change]:
        expressions = statement.expressions
        if statement.kind in {"if", "elseif"}:
            yield from self._of_condition(expressions[0], refuses=_refuses(statement) and not statement.goes_on)
        elif statement.kind == "while":
            yield from self._of_operands(expressions[0])
        elif statement.kind == "call" and expressions[0].name == "expect":
            yield _Change(statement.start, statement.end, "", self._of(statement), "not checked")
        elif statement.kind == "for" and expressions[1:] and expressions[1].kind == "number":
            yield self._unbound(expressions[1], self._of(expressions[1]))
        elif statement.kind == "local" and top:
            for name, value in zip(statement.names, expressions, strict=False):
                if value.kind == "number" and float(value.name) > 1:
                    yield self._unbound(value, f"{name} = {value.name}")
        for expression in expressions:
            yield from self._of_values(expression, condition=statement.kind in {"if", "elseif", "while"})

    def _of_condition(self, node: Node, *, refuses: bool) -> Iterator[_Change]:
        yield self._instead(node, "false", "never")
        if not refuses:
            yield self._instead(node, "true", "always")
        yield from self._of_operands(node)

    def _of_operands(self, node: Node) -> Iterator[_Change]:
        """Leave out each operand of `and` and `or` where only the truth counts."""
        if node.kind in {"and", "or"}:
            operands = _chain(node, node.kind)
            yield from self._without_each(operands, node)
            for operand in operands:
                yield from self._of_operands(operand)
        elif node.kind in {"not", "("}:
            yield from self._of_operands(node.parts[0])

    def _without_each(self, operands: list[Node], whole: Node) -> Iterator[_Change]:
        first, second = operands[:2]
        yield _Change(first.start, second.start, "", self._of(whole), f"without `{self._of(first)}`")
        for before, operand in itertools.pairwise(operands):
            yield _Change(before.end, operand.end, "", self._of(whole), f"without `{self._of(operand)}`")

    def _of_values(self, node: Node, *, condition: bool = False) -> Iterator[_Change]:
        """Find the guards inside a value: defaults, choices, options, bounds."""
        parts = _chain(node, node.kind)
        if condition and node.kind in {"and", "or", "not", "("}:
            for part in parts:
                yield from self._of_values(part, condition=True)
            return
        if node.kind == "or" and parts[0].kind == "and":  # a and b or c
            *tests, choice = _chain(parts[0], "and")
            yield self._instead(node, self._of(choice), f"always `{self._of(choice)}`")
            yield self._instead(node, self._of(parts[1]), f"always `{self._of(parts[1])}`")
            for test in tests:
                yield from self._of_operands(test)
            parts = [*tests, choice, *parts[1:]]
        elif node.kind == "or":
            yield from self._without_each(parts, node)
        elif node.kind == "and":
            yield from list(self._without_each(parts, node))[:-1]
        elif node.kind == "call":
            yield from self._of_call(node)
        for part in parts:
            yield from self._of_values(part)

    def _of_call(self, node: Node) -> Iterator[_Change]:
        if node.name in CLAMPS:
            yield self._instead(node, self._of(node.parts[1]), f"without `{self._of(node.parts[0])}`")
        if node.name not in CALLS:
            return
        if node.name == "redis.pcall":
            place = node.start + len("redis.")
            yield _Change(place, place + 1, "", self._of(node), "an error stops the script")
        for before, argument in zip(node.parts, node.parts[1:], strict=False):
            if argument.name in OPTIONS:
                yield _Change(before.end, argument.end, "", self._of(node), f"without {argument.name}")
            elif argument.kind == "number" and float(argument.name) > 1:
                yield self._unbound(argument, self._of(node))

    def _instead(self, node: Node, new: str, what: str) -> _Change:
        return _Change(node.start, node.end, new, self._of(node), what)

    def _unbound(self, node: Node, guard: str) -> _Change:
        return _Change(node.start, node.end, UNBOUND, guard, f"without the bound {node.name}")

    def _of(self, place: Node | Statement) -> str:
        return self._text[place.start : place.end]


def _chain(node: Node, kind: str) -> list[Node]:
    """Return the operands of `a and b and c`, or the parts of what is no such chain."""
    if kind not in {"and", "or"}:
        return node.parts
    return [*_chain(node.parts[0], kind), node.parts[1]] if node.kind == kind else [node]


def _refuses(statement: Statement) -> bool:
    """Whether all that the block does is to stop here."""
    last = statement.body[-1] if statement.body else statement
    raises = last.kind == "call" and last.expressions[0].name == "error"
    return len(statement.body) == 1 and (last.kind in REFUSALS or raises)
