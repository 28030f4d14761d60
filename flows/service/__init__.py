"""Job services: handlers by type of job, and what tells the world how each job ended."""
