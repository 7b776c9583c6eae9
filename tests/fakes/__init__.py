"""Stand-ins; each passes the conformance suite of the real thing."""
