"""Finds and reads jobs for those who operate them, and keeps from each what is hidden from it."""
