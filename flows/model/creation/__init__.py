"""What a new job may be given beside its params."""
