"""How many runs a pool should have: pure functions of its queue and of earlier decisions."""
