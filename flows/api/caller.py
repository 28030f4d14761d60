"""Who asks for an operation: by which name and role, for which flows, and what is hidden from it."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

#: What a caller may do: nothing, look, or look and act.
Role: TypeAlias = Literal["nobody", "viewer", "operator"]
#: How much each role may: who has one may what those before it may.
RANKS: Final[dict[Role, int]] = {"nobody": 0, "viewer": 1, "operator": 2}
#: What is hidden of each job by one word, besides its fields.
ERROR: Final = "error"
LOG: Final = "log"


class Caller(BaseModel):
    """Who asks: a person, a program or a token."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=200)
    """As the audit shows it."""
    role: Role = "viewer"
    flows: frozenset[str] | None = None
    """Only these flows; `run` stands for the runs of all workflows, `run:<app>` for those of one app. None: all."""
    hide: frozenset[str] = frozenset()
    """Fields that this caller neither sees nor searches: `email`, or of one flow `access.email`; `error` stands for the
    messages of errors, `log` for the lines of logs."""

    def may(self, role: Role) -> bool:
        """Return whether it has this role, or one that may more."""
        return RANKS[self.role] >= RANKS[role]

    def sees(self, flow: str) -> bool:
        """Return whether a flow is one of those that it may look at."""
        return self.flows is None or flow in self.flows

    def hidden(self, flow: str) -> frozenset[str]:
        """Return what is hidden of the jobs of a flow: names of fields, `error` and `log`."""
        words = (word.rpartition(".") for word in self.hide)
        return frozenset(name for of, _dot, name in words if of in {"", flow})
