"""Use cases: they await ports and let the domain decide."""
