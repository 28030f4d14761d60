"""Limits of queues, as users read and set them while workers run."""
