"""What values become on their way: which come back from JSON as they were, and which are refused."""
