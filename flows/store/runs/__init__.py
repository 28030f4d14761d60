"""Runs of workflows in Redis: starting them, what their steps write, and what is sent to them from outside."""
