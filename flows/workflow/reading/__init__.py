"""Reads runs: their records, lists of them, and why they are where they are."""
