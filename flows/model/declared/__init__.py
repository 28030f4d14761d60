"""What a flow declares, as plain data that other programs can read."""
