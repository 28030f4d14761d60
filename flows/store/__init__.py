"""The only package that knows Redis, its keys and Lua; stores outcomes and decides nothing."""
