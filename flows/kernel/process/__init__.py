"""Functions in processes of their own: the pool that a worker has, what runs in each of them, and what they say."""
