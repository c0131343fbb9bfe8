"""Metrics and traces, made of what the daemon tells of its own work."""
