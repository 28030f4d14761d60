"""Durable runs: what is recorded of their steps, how they are started, and what is read of them."""
