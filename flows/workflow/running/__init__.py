"""What attempts at runs stand on in a worker: their recorder, and what comes while they work."""
