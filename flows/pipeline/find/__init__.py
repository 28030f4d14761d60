"""Finding jobs: `flow.jobs`, a query that is put together, and the pages and counts that it ends in."""
