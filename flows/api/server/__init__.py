"""Operations on the server: how it is, what is wrong with all that it holds, and to repair that."""

from flows.api.server.checking import check, repair, show

__all__ = ["check", "repair", "show"]
