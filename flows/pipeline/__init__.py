"""Flows: typed pipelines of queues."""
