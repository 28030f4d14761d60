"""Events, of which log lines are made, and the named points at which fault tests strike."""
