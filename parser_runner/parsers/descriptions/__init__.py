"""Lists that no publisher module covers: read by a description of their columns, which can be proposed from a file."""
