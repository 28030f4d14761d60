"""What a process with workers says of itself, and learns of others."""
