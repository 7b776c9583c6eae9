"""Which pools there are, how each is run, and how its runner pods are made."""
