"""When the runs of a schedule are due, pure: no clock is read here."""
