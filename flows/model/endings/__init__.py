"""What a flow leaves behind of its jobs that end."""
