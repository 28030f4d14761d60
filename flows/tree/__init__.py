"""Task trees: declared, executed by path, watched."""
