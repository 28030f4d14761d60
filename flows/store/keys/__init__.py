"""Names all keys, a class for each room; `docs/key_names.md` is the same list in prose."""
