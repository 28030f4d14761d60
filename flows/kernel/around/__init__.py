"""What stands around attempts, and what goes on beside them: middleware, and what a job asks of its own worker."""
