"""Jobs in Redis: created, claimed, ended, found, renewed, rescued and reconciled."""
