"""What a job is and what may happen to it: pure, without any input or output."""
