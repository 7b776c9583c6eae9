"""Measurements: `make bench`, `make bench-NAME`. See docs/benchmarks.md."""
