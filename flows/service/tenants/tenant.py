"""`Tenant`: whose jobs a service runs, with where that is, and the token that opens it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, overload

from flows.errors import DeclarationError, ValidationError
from flows.model.limits.bounds import MOST_TOKENS, is_share, is_whole
from flows.model.names import NAME
from flows.service.levels import Level, kept_levels
from flows.service.secret import Secret
from flows.service.tenants.seals import SealedSecret, is_sealed, seal

if TYPE_CHECKING:
    from typing import NoReturn


class _NoToken(Secret):
    """Stands where a tenant has no token."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("no token")

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "Secret('')"

    def reveal(self) -> NoReturn:
        raise DeclarationError("the tenant has no token: give one, service.update_tenant(id, token=Secret(…))")


class _TokenField:
    """A field that takes a text, or none, and holds a `Secret`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Secret: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Secret: ...
    def __get__(self, instance: object | None, owner: type) -> Secret:
        if instance is None:
            return _NoToken()
        held: Secret = instance.__dict__[self._name]
        return held

    def __set__(self, instance: object, value: Secret | str) -> None:
        instance.__dict__[self._name] = value if isinstance(value, Secret) else Secret(value) if value else _NoToken()


@dataclass(frozen=True)
class Tenant:
    """One tenant of a service.

    Args:
        id: Its name, as jobs have it.
        domain: Where it is; what that means is the service's affair.
        token: What opens it: a `Secret`, or a text. `env:NAME` and `file:PATH` are read in each process; another text
            is kept on the server, sealed by `FLOWS_SECRET_KEY`.
        max_concurrency: How many of its jobs run at once, over all processes; None: as many as there is room for.
        weight: Its share of the turns where others wait too: one of 2 gets twice as many as one of 1.
        paused: Whether its jobs wait; those that run go on.
        log_levels: Which updates of its jobs are kept; None: those of the service.
        revision: Which change of the service's tenants has made it so; 0: it was made here.

    Raises ValidationError where one of them cannot be used.
    """

    id: str
    domain: str = ""
    token: _TokenField = _TokenField()
    _: KW_ONLY
    max_concurrency: int | None = None
    weight: float = 1
    paused: bool = False
    log_levels: Collection[Level] | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        """Check each of them.

        Raises:
            ValidationError: one cannot be used.
        """
        given: Any = self
        if not isinstance(given.id, str) or not NAME.fullmatch(given.id):
            raise ValidationError(f"tenant {given.id!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
        if not isinstance(given.domain, str):
            raise ValidationError(f"tenant {self.id!r}: domain={given.domain!r:.80}: give a text")
        if self.max_concurrency is not None and not is_whole(self.max_concurrency):
            raise ValidationError(
                f"tenant {self.id!r}: max_concurrency={self.max_concurrency!r:.80}: give 1 to {MOST_TOKENS:,}, or None"
            )
        if not is_share(self.weight):
            raise ValidationError(f"tenant {self.id!r}: weight={self.weight!r:.80}: give a number from 0.001 to 1,000")
        if not isinstance(given.paused, bool):
            raise ValidationError(f"tenant {self.id!r}: paused={given.paused!r:.80}: give True or False")
        if self.log_levels is not None:
            try:
                kept_levels(self.log_levels)
            except DeclarationError as error:
                raise ValidationError(f"tenant {self.id!r}: {error}") from error


def written(service: str, tenant: Tenant) -> str:
    """Return the JSON of a tenant as it stands on the server: its token sealed, or where that is to be found.

    Raises:
        ValidationError: the token is a text, and there is no key to seal it.
        DeclarationError: a key is none.
        MissingExtra: cryptography is not installed.
    """
    token = tenant.token
    kept = "" if not token else token.kept if isinstance(token, SealedSecret) else token.reference
    if kept is None:
        kept = seal(token.reveal(), _about(service, tenant.id))
    levels = tenant.log_levels
    record: dict[str, Any] = {
        "domain": tenant.domain,
        "token": kept,
        "max_concurrency": tenant.max_concurrency,
        "weight": tenant.weight,
        "paused": tenant.paused,
        "log_levels": None if levels is None else sorted(kept_levels(levels)),
    }
    return json.dumps(record, separators=(",", ":"))


def read(service: str, tenant_id: str, revision: int, record: bytes) -> Tenant | None:
    """Return the tenant that stands on the server; None where it was edited into nonsense."""
    try:
        found: dict[str, Any] = json.loads(record)
        token = str(found["token"])
        return Tenant(
            tenant_id,
            found["domain"],
            SealedSecret(token, _about(service, tenant_id)) if is_sealed(token) else token,
            max_concurrency=found["max_concurrency"],
            weight=found["weight"],
            paused=found["paused"],
            log_levels=found["log_levels"],
            revision=revision,
        )
    except (ValueError, TypeError, KeyError):  # a ValidationError is a ValueError
        return None


def _about(service: str, tenant_id: str) -> bytes:
    """Return what a token is sealed with: it opens for this tenant of this service alone."""
    return f"{service}\0{tenant_id}\0token".encode()
