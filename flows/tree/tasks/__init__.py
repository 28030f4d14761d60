"""Executes single tasks: their attempts, what they report, and tasks apart from their execution."""
