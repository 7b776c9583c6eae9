"""Files are parsed in a process that holds no credential and reaches nothing: docs/decisions/0022."""
