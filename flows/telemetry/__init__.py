"""Emits events, which are logged too, and holds the named points at which fault tests strike."""
