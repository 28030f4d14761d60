"""What a flow does with the workers of its parent queues and child queues."""
