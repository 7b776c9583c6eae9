"""Stand-ins, each of which passes the conformance suite of the real thing."""
