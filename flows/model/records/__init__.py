"""What a record shows of a job beyond its fields."""
