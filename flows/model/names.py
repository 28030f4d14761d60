"""The grammar of names: what a flow, a queue, a child, an attribute and a field may be called."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from flows.errors import DeclarationError, ValidationError

#: Flows, queues, children and attributes.
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")

#: What is put before every key.
NAMESPACE: Final = re.compile(r"[A-Za-z0-9_.:{}-]{0,64}")

#: Names of flows and of queues that begin so are the library's own.
OWN: Final = "flows."
#: The flow of all runs of workflows is the library's own too.
_RUNS: Final = "run"

#: Fields that stand in a job's hash; the kernel's own begin with an underscore.
FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

#: Queues nest by `<parent>:<child>` this deep at most.
MAX_DEPTH: Final = 8

#: The last part of a queue's keys: no child may be called so.
PLACES: Final = frozenset({"waiting", "processing", "delayed", "children", "meta"})

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check_name(kind: str, name: object) -> str:
    """Return `name` if it keeps to the grammar.

    Raises:
        DeclarationError: it does not; `kind` ("flow", "queue", …) says what it names.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise DeclarationError(f"{kind} name {name!r}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
    return name


def check_not_own(kind: str, name: str) -> None:
    """Check that a name is none of the library's own.

    Raises:
        DeclarationError: it begins as those do.
    """
    if name.startswith(OWN):
        raise DeclarationError(f"{kind} name {name!r}: names that begin with {OWN!r} are the library's own")
    if kind == "flow" and name == _RUNS:
        raise DeclarationError(f"flow name {name!r}: that is the flow of all runs of workflows: choose another name")


def is_own(flow: str) -> bool:
    """Return whether a flow is the library's own: of bulk actions, or of runs."""
    return flow == _RUNS or flow.startswith(OWN)


def check_namespace(text: object) -> None:
    """Check a flow's namespace, which is put before every key.

    Raises:
        DeclarationError: it has other characters than names have, `:`, `{` and `}`.
    """
    if not isinstance(text, str) or not NAMESPACE.fullmatch(text):
        raise DeclarationError(f"namespace {text!r}: use up to 64 of the characters A-Z a-z 0-9 _ . - : {{ }}")


def check_child_name(name: object) -> str:
    """Return `name` if a child queue may be called so.

    Raises:
        DeclarationError: it breaks the grammar, or its keys would meet those of the parent.
    """
    text = check_name("child queue", name)
    if text in PLACES or _UUID.fullmatch(text):
        why = "is a place of every queue" if text in PLACES else "looks like a job id"
        raise DeclarationError(f"child queue name {text!r} {why}: choose another, its keys would be ambiguous")
    return text


def check_job_id(text: object) -> str:
    """Return `text` as the text of a job id: a UUID's, as `create_job` writes it.

    Raises:
        ValidationError: it is no UUID and no text of one.
    """
    return _uuid(text, "no job id, nor a run's: those are UUIDs, as create_job and emit return them")


def check_instance_id(text: object) -> str:
    """Return `text` as the text of the id of an instance of a tree: a UUID's, as `Instance.id` is.

    Raises:
        ValidationError: it is no UUID and no text of one.
    """
    return _uuid(text, "no id of an instance: those are UUIDs, as `instance.id` is one")


def is_job_id(text: object) -> bool:
    """Return whether `text` has the form of a job id, a bare UUID."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def _uuid(text: object, otherwise: str) -> str:
    """Return the text of a UUID; `otherwise` is what an error says of anything else."""
    if isinstance(text, UUID):
        return str(text)
    if not isinstance(text, str) or not is_job_id(text):
        raise ValidationError(f"{text!r} is {otherwise}")
    return text.lower()
