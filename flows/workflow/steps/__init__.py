"""The steps of runs: called, recorded, replayed in their order, and undone."""
