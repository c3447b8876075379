"""Promises that the core needs kept, as Protocols."""
