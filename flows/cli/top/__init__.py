"""`flows top`: the board in a terminal, which reads and acts by the operations that all have."""
