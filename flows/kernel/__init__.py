"""Workers and their services, which know the store, not Redis."""
