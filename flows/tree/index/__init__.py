"""What finds instances."""
