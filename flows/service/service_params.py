"""What a job of a service consists of: its type, its tenant, its payload, and what it is linked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import Field
from pydantic_core import to_json

from flows.errors import ValidationError
from flows.model.arguments import check_many, check_text
from flows.model.creation.encoded_params import EncodedParams
from flows.model.job import Job
from flows.model.names import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A job has so many links at most, each of so many bytes.
MOST_LINKS: Final = 64
LONGEST_LINK: Final = 200
#: The field of a job's hash, and the lookup attribute, that has its links.
LINKS: Final = "links"


class ServiceParams(EncodedParams):
    """What a job of a service is created with."""

    type: str
    """Of which type it is: that says which function takes it."""
    tenant: str = ""
    """Whose it is; empty: nobody's."""
    payload: Any = None
    """What the function takes."""
    links: list[str] = Field(default_factory=list)
    """What it is about, such as `orders/7`."""

    @classmethod
    def of(cls, kind: str, tenant: str, payload: bytes, links: Sequence[str], queue: str = "") -> Self:
        """Return the params of a job whose payload is JSON already, and of the queue that its type has of its own."""
        made = cls.model_construct(type=kind, tenant=tenant, links=[*links])
        made._encoded = {"type": to_json(kind), "tenant": to_json(tenant), "payload": payload}  # noqa: SLF001 - its own
        if links:
            made._encoded[LINKS] = to_json(links)  # noqa: SLF001
        if queue:
            made._encoded["_queue"] = queue.encode()  # noqa: SLF001
        return made


class ServiceJob(Job):
    """A job of a service as its queue declares it; the payload is read as its type says."""

    type: str
    tenant: str = ""
    payload: Any = None


def check_type(name: object) -> str:
    """Return a name that a type of jobs can have.

    Raises:
        ValidationError: it is none.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValidationError(f"job type {name!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
    return name


def check_tenant(tenant: object) -> str:
    """Return the id of a tenant, or an empty text.

    Raises:
        ValidationError: it is neither.
    """
    if tenant == "":
        return ""
    if not isinstance(tenant, str) or not NAME.fullmatch(tenant):
        raise ValidationError(f"tenant {tenant!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
    return tenant


def check_link(link: object) -> str:
    """Return a link: a text of 1 to 200 bytes.

    Raises:
        ValidationError: it is none.
    """
    text = check_text("a link", link)
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise ValidationError(f"link {text!r:.80} is no text that UTF-8 can hold: give another") from error
    if not 0 < size <= LONGEST_LINK or not text.isprintable():
        raise ValidationError(f"link {text!r:.80} has {size:,} bytes: give a line of 1 to {LONGEST_LINK} bytes")
    return text


def check_links(links: object) -> list[str]:
    """Return links without those that are repeated.

    Raises:
        ValidationError: they are no list of links, or more than 64.
    """
    checked = [*dict.fromkeys(map(check_link, check_many("links", links, "texts")))]
    if len(checked) > MOST_LINKS:
        raise ValidationError(f"{len(checked)} links, over {MOST_LINKS}: link the job to fewer")
    return checked
