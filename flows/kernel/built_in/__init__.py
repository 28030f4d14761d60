"""What the kernel knows of the library's own flows."""
