"""Faults for tests only: at the ports (see `actor`, `ports`, `connections` and `machine`), real troubles of a machine
(see `conditions`), and time that tests own (see `clock`)."""
