"""Redis: the only package that knows it, its keys and Lua. It stores outcomes and decides nothing."""
