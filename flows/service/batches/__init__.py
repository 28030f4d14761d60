"""Types of jobs whose function takes many at once, all of one tenant."""
