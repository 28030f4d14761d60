"""What workers do for the limits of their queues."""
