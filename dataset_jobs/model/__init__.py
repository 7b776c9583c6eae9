"""What a dataset, a job and a run are, what can become of them, and what can go wrong. Pure: no I/O."""
