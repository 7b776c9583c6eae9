"""Many loads while everything dies: `python -m tests.chaos 500`, which is `make chaos N=500`."""
