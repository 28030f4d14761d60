"""Instances of task trees in Redis, and the index that finds them."""
