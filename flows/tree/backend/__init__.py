"""Where executions and the functions of tasks run."""
