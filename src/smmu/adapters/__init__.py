"""Implementations of the ports, one family for each platform or technology."""
