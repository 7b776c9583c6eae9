"""Runs as child processes of the controller: the launcher, and the worker process that it starts."""
