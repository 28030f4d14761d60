"""Reads what jobs and queues look like, in scripts that write nothing."""
