"""Workers and the services that they are made of: they know the store, not Redis."""
