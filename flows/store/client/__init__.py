"""Connections to a server, the scripts that are sent, and the servers that flows starts itself."""
