"""Use cases: what the command line calls, and an HTTP interface can. They return data or raise; they print nothing."""
