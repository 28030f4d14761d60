"""What is told of endings: the reporters of a service, as queues of report jobs and their workers."""
