"""Watching live: rooms that read once for all who watch, and the protocol `flows.live.1` between them and a watcher."""
