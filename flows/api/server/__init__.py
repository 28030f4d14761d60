"""Operations on the server: how it is, what is wrong with all that it holds, and to repair that."""

from flows.api.server.checking import check, repair, show
from flows.api.server.measuring import memory, slow

__all__ = ["check", "memory", "repair", "show", "slow"]
