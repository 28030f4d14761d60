"""Text that jobs stream, as it is read while they run."""
