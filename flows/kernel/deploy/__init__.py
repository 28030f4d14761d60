"""What a deploy leaves behind: jobs under former names of queues, and jobs that fit another release."""
