"""Queries on jobs, as values: which jobs they match, and their forms as JSON and as text."""
