"""The steps of a tick, one a file. `breaker` is the step that blocks; `fill` lets claim and launch take turns."""
