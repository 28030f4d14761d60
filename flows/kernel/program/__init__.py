"""What a program needs that runs workers: signals, a start that waits for the server, and a log that is seen."""
