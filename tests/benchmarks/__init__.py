"""Benchmarks of the engine beside its peers: `python -m tests.benchmarks` (or `make bench`)."""
