"""What operations answer."""
