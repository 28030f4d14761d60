"""Faults on real servers and real processes: what may go wrong, and what has to hold all the same."""
