"""Rules by which the jobs of a queue are given to workers: limits, slots, priorities and groups, pure."""
