"""Faults at the ports, for tests only: see `actor`, `ports` and `connections`; and time that tests own: see `clock`."""
