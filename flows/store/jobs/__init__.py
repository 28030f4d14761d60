"""Stores jobs in Redis: creates, claims, ends, finds, renews, rescues and reconciles them."""
