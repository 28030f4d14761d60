"""Durable workflows: an async function whose steps are remembered."""
