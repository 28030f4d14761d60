"""Schedules of workflows: declared, fired, and looked after while workers run."""
