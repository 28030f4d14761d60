"""A result that was encoded where its function ran, in another process: its fields are JSON already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr

from flows.model.job import ChildJob, JobResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.outcome import Fields


class EncodedResult(JobResult):
    """Stands for a result of a class that this process need not know."""

    _encoded: Fields = PrivateAttr(default_factory=dict[str, bytes])
    _kind: str = PrivateAttr("")

    @classmethod
    def of(cls, kind: str, encoded: Fields, next_queue: str | None, children: Sequence[ChildJob]) -> Self:
        """Return a result of the class that is called `kind`, whose own fields are `encoded`."""
        made = cls.model_construct(next_queue=next_queue, children=list(children))
        made._encoded, made._kind = encoded, kind  # noqa: SLF001 - it is this class's own
        return made

    @property
    def encoded(self) -> Fields:
        """The fields that the user declared, each as JSON."""
        return self._encoded

    @property
    def kind(self) -> str:
        """The name of the class that the function returned."""
        return self._kind


def name_of(result: JobResult) -> str:
    """Return the name of the class that the function returned."""
    return result.kind if isinstance(result, EncodedResult) else type(result).__name__
