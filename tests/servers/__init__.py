"""Servers that tests start for themselves, each on a free port and stopped by its process id."""
