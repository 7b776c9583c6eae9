"""Where runs run: `kubernetes`, and `process` for a single machine, behind one interface."""
