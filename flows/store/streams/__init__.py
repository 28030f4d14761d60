"""Text that running functions stream: pieces in a bounded stream beside each job."""
