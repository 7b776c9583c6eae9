"""The HTTP API: renders what services say. docs/api.md is its manual."""
