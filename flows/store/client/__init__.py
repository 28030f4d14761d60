"""The way to a server: the wire, connections, scripts, and the servers that flows starts itself."""
