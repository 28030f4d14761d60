"""The tenants of services: records, tokens, clients, and what each process and each attempt has of them."""
