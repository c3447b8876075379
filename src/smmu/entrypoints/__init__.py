"""Thin shells: API, worker, command line."""
