"""What is known of the processes that work: heartbeats and statistics, as plain values."""
