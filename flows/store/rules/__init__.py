"""What is read and set of limits, slots and groups while workers run."""
