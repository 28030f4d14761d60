"""Schedules under kills, wrong clocks and a restart of the server."""
