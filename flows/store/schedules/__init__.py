"""Schedules as they stand in Redis: recorded, read, fired."""
