"""Task trees without their functions: nodes, what they depend on, what is stale, how far they are."""
