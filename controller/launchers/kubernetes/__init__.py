"""Runs as Kubernetes Jobs: the launcher, and the API, objects, cache and events that it uses."""
