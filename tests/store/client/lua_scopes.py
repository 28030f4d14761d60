"""Finds whose name is whose in a Lua text: what each function holds as locals and upvalues, and what is nobody's.

It reads the Lua of `flows/store/lua`, one file or a composed script, and makes no promise beyond it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.faults.lua_syntax import BINARY, ENDS, UNARY, LuaSyntaxError, Token, tokens

#: Names that Lua, Redis and Valkey give to every script.
GLOBALS: Final = frozenset(
    {
        *("redis", "cjson", "cmsgpack", "bit", "string", "table", "math", "KEYS", "ARGV"),
        *("error", "pcall", "ipairs", "pairs", "select", "setmetatable", "tonumber", "tostring", "type", "unpack"),
    }
)


@dataclass(eq=False)
class Local:
    """A local variable, and all places of its name."""

    name: str
    function: Function
    places: list[int]
    used: bool = False


@dataclass(eq=False)
class Function:
    """A function, or the whole text."""

    start: int
    outer: Function | None
    active: int = 0
    """How many locals there are just now."""
    locals: int = 0
    """How many there are at once, at most: Lua allows 200."""
    upvalues: set[Local] = field(default_factory=set)
    """What it takes from the functions around it: Lua allows 60."""


@dataclass(frozen=True)
class Free:
    """A name that is no local where it stands."""

    name: str
    place: int
    written: bool


class Scopes:
    """What is known of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.main = Function(0, None)
        self.functions = [self.main]
        self.locals: list[Local] = []
        self.free: list[Free] = []
        self._tokens = tokens(text)
        self._at = 0
        self._function = self.main
        self._scopes: list[list[Local]] = [[]]
        self._statements()
        self._expect("")
        self.top = self._scopes[0]

    def line(self, place: int) -> int:
        """Return the line of a place."""
        return self.text.count("\n", 0, place) + 1

    # Names

    def _declare(self, *found: Token | str) -> None:
        for name in found:
            text, places = (name, []) if isinstance(name, str) else (name.text, [name.start])
            local = Local(text, self._function, places)
            self._scopes[-1].append(local)
            self.locals.append(local)
            self._function.active += 1
            self._function.locals = max(self._function.locals, self._function.active)

    def _use(self, name: Token, *, written: bool = False) -> None:
        for scope in reversed(self._scopes):
            for local in reversed(scope):
                if local.name == name.text:
                    local.places.append(name.start)
                    local.used = local.used or not written
                    function: Function | None = self._function
                    while function is not None and function is not local.function:
                        function.upvalues.add(local)
                        function = function.outer
                    return
        self.free.append(Free(name.text, name.start, written))

    # Statements

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, text: str) -> bool:
        if self._next.text != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise LuaSyntaxError(f"{text!r} expected in line {self.line(self._next.start)}, not {self._next.text!r}")

    def _statements(self) -> None:
        while self._next.text not in ENDS:
            self._statement()
            self._accept(";")

    def _block(self, *names: Token | str, end: str = "end") -> None:
        """Read a block up to its end, in which these names are known."""
        self._scopes.append([])
        self._declare(*names)
        self._statements()
        if end:
            self._expect(end)
        self._function.active -= len(self._scopes.pop())

    def _statement(self) -> None:
        known: dict[str, Callable[[], None]] = {
            "if": self._if,
            "while": self._while,
            "for": self._for,
            "repeat": self._repeat,
            "do": self._block,
            "function": self._function_statement,
            "local": self._local,
            "return": self._return,
            "break": lambda: None,
        }
        read = known.get(self._next.text)
        if read:
            self._take()
            read()
        else:
            self._assignment_or_call()

    def _if(self) -> None:
        self._expression()
        self._expect("then")
        self._block(end="")
        if self._accept("elseif"):
            self._if()
        elif self._accept("else"):
            self._block()
        else:
            self._expect("end")

    def _while(self) -> None:
        self._expression()
        self._do_block()

    def _do_block(self, *names: Token | str) -> None:
        self._expect("do")
        self._block(*names)

    def _repeat(self) -> None:
        self._block(end="until")
        self._expression()

    def _for(self) -> None:
        names = [self._take()]
        while self._accept(","):
            names.append(self._take())
        if not self._accept("="):
            self._expect("in")
        self._expressions()
        # Lua keeps three of its own for each loop.
        self._do_block("(for)", "(for)", "(for)", *names)

    def _function_body(self) -> None:
        self._expect("(")
        names: list[Token] = []
        while not self._accept(")"):
            if self._next.text == "...":
                self._take()
            else:
                names.append(self._take())
            self._accept(",")
        self._function = Function(self._next.start, self._function)
        self.functions.append(self._function)
        self._block(*names)
        self._function = self._function.outer or self.main

    def _function_statement(self) -> None:
        self._use(self._take(), written=True)
        self._function_body()

    def _local(self) -> None:
        if self._accept("function"):
            self._declare(self._take())
            self._function_body()
            return
        names = [self._take()]
        while self._accept(","):
            names.append(self._take())
        if self._accept("="):
            self._expressions()
        self._declare(*names)

    def _return(self) -> None:
        if self._next.text not in ENDS:
            self._expressions()

    def _assignment_or_call(self) -> None:
        first = self._at
        depth = 0
        at = first
        # A plain name before `=` or `,` is written to; anything else is read.
        while self._tokens[at].kind == "name" and self._tokens[at + 1].text in {",", "="}:
            at += 2
            depth += 1
            if self._tokens[at - 1].text == "=":
                break
        if depth and self._tokens[at - 1].text == "=":
            for place in range(first, at, 2):
                self._use(self._tokens[place], written=True)
            self._at = at
            self._expressions()
            return
        self._expressions()
        if self._accept("="):
            self._expressions()

    # Expressions

    def _expressions(self) -> None:
        self._expression()
        while self._accept(","):
            self._expression()

    def _expression(self, limit: int = 0) -> None:
        if self._next.text in {"not", "-", "#"}:
            self._take()
            self._expression(UNARY)
        else:
            self._simple()
        while BINARY.get(self._next.text, (0, 0))[0] > limit:
            self._expression(BINARY[self._take().text][1])

    def _simple(self) -> None:
        first = self._take()
        if first.text == "(":
            self._expression()
            self._expect(")")
        elif first.text == "{":
            self._table()
        elif first.text == "function":
            self._function_body()
        elif first.kind in {"string", "number"} or first.text in {"nil", "true", "false", "..."}:
            return
        elif first.kind == "name":
            self._use(first)
        else:
            raise LuaSyntaxError(f"no expression begins with {first.text!r} in line {self.line(first.start)}")
        while self._next.text in {".", "[", "("}:
            if self._accept("."):
                self._take()
            elif self._accept("["):
                self._expression()
                self._expect("]")
            else:
                self._take()
                if self._next.text != ")":
                    self._expressions()
                self._expect(")")

    def _table(self) -> None:
        while not self._accept("}"):
            if self._next.kind == "name" and self._tokens[self._at + 1].text == "=":
                self._at += 2
            elif self._accept("["):
                self._expression()
                self._expect("]")
                self._expect("=")
            self._expression()
            self._accept(",")
