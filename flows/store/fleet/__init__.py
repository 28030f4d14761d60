"""What processes of a flow say of themselves: declarations, heartbeats, statistics."""
