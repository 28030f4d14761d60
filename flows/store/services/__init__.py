"""What the server keeps of services beside their jobs: their tenants."""
