"""Durable runs under faults: the app under test, what its processes are told, and what must hold at rest."""
