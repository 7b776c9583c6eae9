"""Chaos on a real Kubernetes: an installation whose controllers, pods, Jobs and database connections are killed."""
