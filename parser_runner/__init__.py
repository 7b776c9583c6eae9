"""Runs one dataset from lease to commit."""
