"""Measurements of the promises about speed: `python -m benchmarks [NAME …] [--quick]`, or `make bench`."""
