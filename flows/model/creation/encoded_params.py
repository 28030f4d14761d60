"""Params whose fields are JSON already: of a job whose payload has a type that no class of Params can name."""

from __future__ import annotations

from pydantic import BaseModel, PrivateAttr


class EncodedParams(BaseModel):
    """What jobs are created with, encoded by whoever makes it; what its own fields hold counts for lookups alone."""

    _encoded: dict[str, bytes] = PrivateAttr(default_factory=dict[str, bytes])

    def encoded(self) -> dict[str, bytes]:
        """Return the fields of the job's hash, each as JSON."""
        return dict(self._encoded)
