"""What callers share, of flows and of workflows: waiting for ends, and the event loop of plain callers."""
