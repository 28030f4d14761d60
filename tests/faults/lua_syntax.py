"""Reads Lua 5.1 far enough to find conditions and calls: tokens with their places, and a tree of expressions.

It reads the scripts of flows/store/lua and makes no promise beyond them; what it does not know is a `LuaSyntaxError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

KEYWORDS: Final = frozenset([
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
])  # fmt: skip
TOKEN: Final = re.compile(
    r"(?P<space>\s+|--[^\n]*)|(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?(?:e\d+)?)"
    r"""|(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<op>\.\.\.|\.\.|[=~<>]=|[-+*/%^#<>=(){}\[\];:,.])"""
)
#: How strongly operators bind: to the left and to the right.
BINARY: Final = {
    "or": (1, 1),
    "and": (2, 2),
    **dict.fromkeys(("<", ">", "<=", ">=", "~=", "=="), (3, 3)),
    "..": (5, 4),
    **dict.fromkeys("+-", (6, 6)),
    **dict.fromkeys("*/%", (7, 7)),
    "^": (10, 9),
}
UNARY: Final = 8
#: What ends a block.
ENDS: Final = frozenset({"end", "else", "elseif", "until", ""})


class LuaSyntaxError(ValueError):
    """The text is not the Lua that we read."""


class Token(NamedTuple):
    """A word of the text; the last one is empty."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class Node:
    """An expression: its kind (an operator, `call`, a kind of token), its place and its parts."""

    kind: str
    start: int
    end: int
    parts: list[Node] = field(default_factory=list)
    name: str = ""


@dataclass(slots=True)
class Statement:
    """A statement: its kind, its place, its expressions, and the statements of its blocks."""

    kind: str
    start: int
    end: int
    expressions: list[Node]
    body: list[Statement] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    #: Of an `if` or `elseif`: whether more branches follow.
    goes_on: bool = False


def tokens(text: str) -> list[Token]:
    """Cut a text into tokens."""
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise LuaSyntaxError(f"no token at {text[at : at + 20]!r}")
        kind, at = str(match.lastgroup), match.end()
        if kind == "name" and match.group() in KEYWORDS:
            kind = "keyword"
        if kind != "space":
            found.append(Token(kind, match.group(), match.start(), at))
    found.append(Token("end of file", "", at, at))
    return found


def parse(text: str) -> list[Statement]:
    """Return the statements of a text."""
    parser = _Parser(tokens(text))
    statements = parser.block()
    parser.expect("")
    return statements


class _Parser:
    """Recursive descent; each method reads what it is named for."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        #: The statements of function bodies inside the expressions of the statement being read.
        self._inner: list[Statement] = []

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def accept(self, text: str) -> bool:
        if self.next.text != text:
            return False
        self._at += 1
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise LuaSyntaxError(f"{text!r} expected at {self.next.start}, not {self.next.text!r}")

    def block(self) -> list[Statement]:
        statements: list[Statement] = []
        while self.next.text not in ENDS:
            statements += self.statement()
            self.accept(";")
        return statements

    def statement(self) -> list[Statement]:
        known: dict[str, Callable[[], list[Statement]]] = {
            "if": self.if_,
            "while": self.while_,
            "for": self.for_,
            "function": self.function,
            "local": self.local,
            "return": self.return_or_break,
            "break": self.return_or_break,
        }
        read = known.get(self.next.text, self.assignment_or_call)
        outer, self._inner = self._inner, []
        statements = read()
        statements[-1].body += self._inner
        self._inner = outer
        return statements

    def if_(self) -> list[Statement]:
        branches: list[Statement] = []
        while self.next.text in {"if", "elseif"}:
            first, condition = self.take(), self.expression()
            self.expect("then")
            body = self.block()
            goes_on = self.next.text != "end"
            branches.append(Statement(first.text, first.start, self.next.start, [condition], body, goes_on=goes_on))
        if self.next.text == "else":
            first = self.take()
            branches.append(Statement("else", first.start, self.next.start, [], self.block()))
        self.expect("end")
        return branches

    def while_(self) -> list[Statement]:
        first = self.take()
        return [self._loop("while", first, [self.expression()])]

    def for_(self) -> list[Statement]:
        first = self.take()
        while self.take().text not in {"=", "in"}:
            pass
        return [self._loop("for", first, self.expressions())]

    def name(self) -> str:
        if self.next.kind != "name":
            raise LuaSyntaxError(f"a name is expected at {self.next.start}")
        return self.take().text

    def _loop(self, kind: str, first: Token, expressions: list[Node]) -> Statement:
        self.expect("do")
        body = self.block()
        self.expect("end")
        return Statement(kind, first.start, self._tokens[self._at - 1].end, expressions, body)

    def function(self) -> list[Statement]:
        first, name = self.take(), self.take().text
        body = self.function_body()
        return [Statement("function", first.start, self._tokens[self._at - 1].end, [], body, [name])]

    def function_body(self) -> list[Statement]:
        while self.take().text != ")":
            pass
        body = self.block()
        self.expect("end")
        return body

    def local(self) -> list[Statement]:
        first = self.take()
        if self.next.text == "function":
            return self.function()
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        values = self.expressions() if self.accept("=") else []
        return [Statement("local", first.start, self._tokens[self._at - 1].end, values, names=names)]

    def return_or_break(self) -> list[Statement]:
        first = self.take()
        values = [] if first.text == "break" or self.next.text in ENDS else self.expressions()
        return [Statement(first.text, first.start, self._tokens[self._at - 1].end, values)]

    def assignment_or_call(self) -> list[Statement]:
        first = self.next
        targets = self.expressions()
        values = self.expressions() if self.accept("=") else []
        kind = "assignment" if values else "call"
        if not values and targets[0].kind != "call":
            raise LuaSyntaxError(f"a statement is expected at {first.start}")
        return [Statement(kind, first.start, self._tokens[self._at - 1].end, values or targets)]

    def expressions(self) -> list[Node]:
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        return found

    def expression(self, limit: int = 0) -> Node:
        if self.next.text in {"not", "-", "#"}:
            first = self.take()
            operand = self.expression(UNARY)
            left = Node(first.text, first.start, operand.end, [operand])
        else:
            left = self.simple()
        while BINARY.get(self.next.text, (0, 0))[0] > limit:
            operator = self.take().text
            right = self.expression(BINARY[operator][1])
            left = Node(operator, left.start, right.end, [left, right])
        return left

    def simple(self) -> Node:
        first = self.take()
        if first.text == "(":
            inside = self.expression()
            self.expect(")")
            return self.suffixes(Node("(", first.start, self._tokens[self._at - 1].end, [inside]))
        if first.text == "{":
            return self.table(first)
        if first.text == "function":
            self._inner += self.function_body()
            return Node("function", first.start, self._tokens[self._at - 1].end)
        if first.kind in {"string", "number"} or first.text in {"nil", "true", "false", "..."}:
            return Node(first.kind, first.start, first.end, name=first.text)
        if first.kind != "name":
            raise LuaSyntaxError(f"no expression begins with {first.text!r} at {first.start}")
        return self.suffixes(Node("name", first.start, first.end, name=first.text))

    def suffixes(self, node: Node) -> Node:
        while self.next.text in {".", "[", "("}:
            if self.accept("."):
                last = self.take()
                node = Node("name", node.start, last.end, node.parts, f"{node.name}.{last.text}")
            elif self.accept("["):
                inside = self.expression()
                self.expect("]")
                node = Node("index", node.start, self._tokens[self._at - 1].end, [node, inside])
            else:
                self.take()
                arguments = [] if self.next.text == ")" else self.expressions()
                self.expect(")")
                node = Node("call", node.start, self._tokens[self._at - 1].end, arguments, node.name)
        return node

    def table(self, first: Token) -> Node:
        parts: list[Node] = []
        while not self.accept("}"):
            if self.next.kind == "name" and self._tokens[self._at + 1].text == "=":
                self._at += 2
            elif self.accept("["):
                parts.append(self.expression())
                self.expect("]")
                self.expect("=")
            parts.append(self.expression())
            self.accept(",")
        return Node("table", first.start, self._tokens[self._at - 1].end, parts)
