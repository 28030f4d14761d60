"""Events: what happens is told once, and sinks make log lines (later metrics and traces) of it."""
